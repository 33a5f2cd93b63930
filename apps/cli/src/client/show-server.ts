import {
  beginsWithUrl,
  dialects,
  type ExpansionStyle,
  findSecretsInWords,
  isSecretReference,
  readPieces,
  type ServerConfig,
} from '@warder/host-config'
import { plain } from '../output.ts'
import { showUrl } from './show-url.ts'

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
  const words = typeof headersHelper === 'string' ? [headersHelper] : headersHelper
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
    ...(command === undefined ? {} : { command: showWords([command, ...args], server) }),
    ...(Object.keys(allHeaders).length === 0 ? {} : { headers: showValues(allHeaders, server) }),
    ...(env === undefined ? {} : { env: showValues(env, server) }),
    ...(words === undefined ? {} : { headersHelper: showWords(words, server).join(' ') }),
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

/** The words of a command, with what looks like a secret hidden. */
function showWords(words: readonly string[], server: ServerConfig): readonly string[] {
  const style = styleOf(server)
  const secrets = findSecretsInWords(words, style)
  return words.map((word, at) => {
    const shown = beginsWithUrl(word) ? showUrl(word) : hideParts(word, secrets[at] ?? [])
    // What still looks like a secret is not shown in part.
    const [, left = []] = findSecretsInWords([words[at - 1] ?? '', shown.replaceAll(hidden, '')], style)
    return left.length > 0 ? hidden : plain(shown)
  })
}

function hideParts(word: string, parts: ReturnType<typeof findSecretsInWords>[number]): string {
  let shown = ''
  let end = 0
  for (const { from, to } of parts.toSorted((a, b) => a.from - b.from)) {
    if (from >= end) shown += word.slice(end, from) + hidden
    end = Math.max(end, to)
  }
  return shown + word.slice(end)
}

/** How the server's texts name variables. Those of Codex stand in fields, which are shown as a shell has them. */
function styleOf({ source }: ServerConfig): ExpansionStyle {
  return source.host === 'codex' ? 'shell' : dialects[source.host].expansion
}

/**
 * References and variables are shown, since they are none; everything else may be a secret, whatever its
 * name.
 */
function showValues(
  values: Readonly<Record<string, string>>,
  server: ServerConfig,
): Readonly<Record<string, string>> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(values)) {
    if (isSecretReference(value)) shown[plain(name)] = plain(value)
    else
      shown[plain(name)] = readPieces(value, styleOf(server))
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
