import { type ExpansionStyle, readPieces } from '../expand.ts'
import type { ServerConfig, Texts } from '../server-config.ts'
import { isSecretName, isSecretValue, looksSecret } from './looks-secret.ts'
import { isSecretReference } from './secret-reference.ts'

/** What may be written of a server. */
export type WritableServer = Pick<
  ServerConfig,
  | 'name'
  | 'transport'
  | 'url'
  | 'headers'
  | 'headersFromEnv'
  | 'headersHelper'
  | 'oauth'
  | 'command'
  | 'args'
  | 'env'
  | 'timeoutMs'
  | 'tools'
  | 'isDisabled'
>

/**
 * Where in an entry a literal value looks like a secret; in words, without the value. Nothing of that may be
 * written to a file.
 */
export function findSecrets(server: WritableServer, style: ExpansionStyle): readonly string[] {
  const inTable = (texts: Texts = {}): readonly string[] =>
    Object.entries(texts).flatMap(([name, value]) => {
      const said = isSecretReference(value) ? undefined : literalOf(value, style)
      return said !== undefined && looksSecret(name, said) ? [name] : []
    })
  const { args = [], headersHelper = [] } = server
  const helper = typeof headersHelper === 'string' ? headersHelper.split(/\s+/) : headersHelper
  return [
    ...inTable(server.headers).map((name) => `the header ${name}`),
    ...inTable(server.env).map((name) => `the variable ${name}`),
    ...args.flatMap((arg, at) => (isSecretArgument(arg, args[at - 1], style) ? [`argument ${at + 1}`] : [])),
    ...(server.url !== undefined && hasSecretInUrl(server.url, style) ? ['the URL'] : []),
    ...(helper.some((arg, at) => isSecretArgument(arg, helper[at - 1], style)) ? ['the headers helper'] : []),
  ]
}

/**
 * What a value says by itself: its text without variables, and the defaults of these (`${TOKEN:-abc}` says
 * abc). Undefined when that is nothing but a word before the secret, such as `Bearer `.
 */
function literalOf(value: string, style: ExpansionStyle): string | undefined {
  const pieces = readPieces(value, style)
  const hasVariable = pieces.some(({ kind }) => kind === 'variable' || kind === 'input')
  const said = pieces
    .map((piece) =>
      piece.kind === 'text' ? piece.text : piece.kind === 'variable' ? (piece.fallback ?? '') : '',
    )
    .join('')
  if (said.trim() === '') return undefined
  return hasVariable && /^\s*(?:Bearer|Basic|Token|DPoP|ApiKey)?\s*$/i.test(said) ? undefined : said
}

function isSecretArgument(arg: string, before: string | undefined, style: ExpansionStyle): boolean {
  const said = literalOf(arg, style)
  if (said === undefined) return false
  if (isSecretValue(said)) return true
  const [, option, value] = /^--?([A-Za-z][\w-]*)=(.+)$/s.exec(arg) ?? []
  if (option !== undefined && value !== undefined)
    return isSecretName(option) && literalOf(value, style) !== undefined
  return /^--?[A-Za-z][\w-]*$/.test(before ?? '') && isSecretName(before!) && !arg.startsWith('-')
}

function hasSecretInUrl(url: string, style: ExpansionStyle): boolean {
  // Variables stand for one harmless letter here, so that only what is written counts.
  const written = readPieces(url, style)
    .map((piece) =>
      piece.kind === 'text' ? piece.text : piece.kind === 'variable' && piece.fallback ? piece.fallback : '',
    )
    .join('')
  const parsed = URL.parse(written)
  if (parsed === null) return isSecretValue(written)
  if (parsed.password !== '') return true
  return (
    [...parsed.searchParams].some(([name, value]) => looksSecret(name, value)) ||
    isSecretValue(parsed.pathname)
  )
}
