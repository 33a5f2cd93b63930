import { type ExpansionStyle, readPieces } from '../expand.ts'

/** What a text says by itself; undefined when that is nothing. */
export type Says = (text: string) => string | undefined

/**
 * What texts of a host say by themselves: without variables, and with the defaults of these (`${TOKEN:-abc}`
 * says abc). Undefined when that is nothing but a word before the secret, such as `Bearer `.
 *
 * `${NAME}` is never a secret, also where the host puts nothing in: programs such as mcp-remote do so themselves.
 */
export function makeSays(style: ExpansionStyle): Says {
  return (text) => {
    const pieces = readPieces(text, style).flatMap((piece) =>
      piece.kind === 'text' ? readPieces(piece.text, 'shell') : [piece],
    )
    const said = pieces
      .map((piece) =>
        piece.kind === 'text' ? piece.text : piece.kind === 'variable' ? (piece.fallback ?? '') : '',
      )
      .join('')
    if (said.trim() === '') return undefined
    const hasVariable = pieces.some(({ kind }) => kind === 'variable' || kind === 'input')
    return hasVariable && /^\s*(?:Bearer|Basic|Token|DPoP|ApiKey)?\s*$/i.test(said) ? undefined : said
  }
}

/** The same for a shell script, in which `$NAME` and the output of a command are put in too. */
export function inScript(says: Says): Says {
  return (text) => says(text.replace(/\$\([^)]*\)|`[^`]*`|\$[A-Za-z_]\w*/g, `\${_}`))
}
