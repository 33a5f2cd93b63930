import { type ExpansionStyle, type Piece, readPieces } from '../expand.ts'

/** How each style writes a variable; undefined where it cannot. */
const writers: Readonly<
  Record<ExpansionStyle, (piece: Exclude<Piece, { kind: 'text' }>) => string | undefined>
> = {
  shell(piece) {
    if (piece.kind !== 'variable') return undefined
    return piece.fallback === undefined ? `\${${piece.name}}` : `\${${piece.name}:-${piece.fallback}}`
  },
  gemini: (piece) => writers.shell(piece),
  vscode(piece) {
    if (piece.kind === 'place') return piece.name === '/' ? undefined : piece.text
    if (piece.kind === 'input') return piece.text
    return piece.fallback === undefined ? `\${env:${piece.name}}` : undefined
  },
  cursor(piece) {
    if (piece.kind === 'place') return piece.text
    return piece.kind === 'variable' && piece.fallback === undefined ? `\${env:${piece.name}}` : undefined
  },
  none: () => undefined,
}

/** A text of one host in the words of another; or the variable that the other has no words for. */
export function rewriteText(
  text: string,
  from: ExpansionStyle,
  to: ExpansionStyle,
): { readonly text: string } | { readonly lost: string } {
  const parts: string[] = []
  for (const piece of readPieces(text, from)) {
    // A place that only looks like one, such as an unknown name, stands for itself in its own host too.
    const written = piece.kind === 'text' ? literal(piece.text, to) : writers[to](piece)
    if (written === undefined) return { lost: piece.text }
    parts.push(written)
  }
  return { text: parts.join('') }
}

/** What is plain text here must not become a variable there. */
function literal(text: string, to: ExpansionStyle): string | undefined {
  return readPieces(text, to).every(({ kind }) => kind === 'text') ? text : undefined
}
