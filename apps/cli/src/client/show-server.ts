import {
  dialects,
  isSecretName,
  isSecretReference,
  isSecretValue,
  readPieces,
  type ServerConfig,
} from '@warder/host-config'
import { plain } from '../output.ts'

const hidden = '[hidden]'

/**
 * A server for eyes: what looks like a secret is hidden, what is not for a terminal is removed. Variables are
 * not put in.
 */
export interface ShownServer {
  readonly name: string
  readonly host: string
  readonly scope: string
  readonly transport: string
  readonly url?: string
  readonly command?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly headersHelper?: string
  readonly oauth?: ServerConfig['oauth']
  readonly file: string
  readonly line: number
}

export function showServer(server: ServerConfig): ShownServer {
  const { source, command, args = [], headers, headersFromEnv, env, headersHelper, oauth } = server
  const words = typeof headersHelper === 'string' ? headersHelper.split(/\s+/) : headersHelper
  const allHeaders = {
    ...headers,
    ...Object.fromEntries(
      Object.entries(headersFromEnv ?? {}).map(([name, { variable, prefix }]) => [
        name,
        `${prefix}\${${variable}}`,
      ]),
    ),
  }
  return {
    name: plain(server.name),
    host: source.host,
    scope: source.scope,
    transport: server.transport,
    ...(server.url === undefined ? {} : { url: showUrl(server.url) }),
    ...(command === undefined ? {} : { command: showWords([command, ...args]) }),
    ...(Object.keys(allHeaders).length === 0 ? {} : { headers: showValues(allHeaders, server) }),
    ...(env === undefined ? {} : { env: showValues(env, server) }),
    ...(words === undefined ? {} : { headersHelper: showWords(words).join(' ') }),
    ...(oauth === undefined ? {} : { oauth: showPins(oauth) }),
    file: plain(source.file),
    line: source.line,
  }
}

/** In one line: its URL or its command. */
export function showEndpoint({ url, command }: ShownServer): string {
  return url ?? command?.map((word) => (/\s|^$/.test(word) ? JSON.stringify(word) : word)).join(' ') ?? ''
}

function showPins(oauth: NonNullable<ServerConfig['oauth']>): NonNullable<ServerConfig['oauth']> {
  return {
    ...(oauth.clientId === undefined ? {} : { clientId: plain(oauth.clientId) }),
    ...(oauth.callbackPort === undefined ? {} : { callbackPort: oauth.callbackPort }),
    ...(oauth.scopes === undefined ? {} : { scopes: oauth.scopes.map(plain) }),
    ...(oauth.metadataUrl === undefined ? {} : { metadataUrl: showUrl(oauth.metadataUrl) }),
  }
}

/** Which hosts a URL leads to may be seen; a password or the value of a query field may not. */
export function showUrl(url: string): string {
  return plain(
    url
      .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, `$1${hidden}@`)
      .replace(/#.+$/s, `#${hidden}`)
      .replace(/([?&][^=&#]*=)([^&#]+)/g, (all, key: string, value: string) =>
        /^\$\{[^}:]*\}$/.test(value) ? all : `${key}${hidden}`,
      ),
  )
}

/** The words of a command, with what looks like a secret hidden. */
export function showWords(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    const before = words[at - 1] ?? ''
    const [, option, value] = /^(--?[\w-]+=)(.+)$/s.exec(word) ?? []
    if (option !== undefined && value !== undefined && (isSecretName(option) || isSecretValue(value)))
      return plain(`${option}${hidden}`)
    const follows = /^--?[A-Za-z][\w-]*$/.test(before) && isSecretName(before) && !word.startsWith('-')
    if (follows || isSecretValue(word)) return hidden
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(word) ? showUrl(word) : plain(word)
  })
}

/**
 * References and variables are shown, since they are none; everything else may be a secret, whatever its
 * name.
 */
function showValues(
  values: Readonly<Record<string, string>>,
  { source }: ServerConfig,
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (isSecretReference(value)) shown[plain(name)] = plain(value)
    else
      shown[plain(name)] = readPieces(
        value,
        source.host === 'codex' ? 'shell' : dialects[source.host].expansion,
      )
        .map((piece) => showPiece(piece))
        .join('')
  }
  return shown
}

function showPiece(piece: ReturnType<typeof readPieces>[number]): string {
  if (piece.kind === 'text')
    return /^\s*(?:Bearer|Basic|Token|DPoP)?\s*$/i.test(piece.text) ? plain(piece.text) : hidden
  return plain(
    piece.kind === 'variable' && piece.fallback ? piece.text.replace(/:-.*\}$/s, `:-${hidden}}`) : piece.text,
  )
}
