import type { ExpansionStyle } from '../expand.ts'
import { dialects } from '../hosts/dialects.ts'
import { toolKeys } from '../hosts/tool-keys.ts'
import type { WritableServer } from '../secrets/check-writable.ts'
import { isSecretReference } from '../secrets/secret-reference.ts'
import type { Host, OAuthPins, Texts } from '../server-config.ts'
import type { Entry, EntryValue } from './entry.ts'
import { rewriteText } from './rewrite-text.ts'

/**
 * A server in the words of a host, and what these words cannot say. Without `entry` they can say nothing of
 * it.
 */
export interface WrittenEntry {
  readonly entry: Entry | undefined
  /** Each a clause such as `the callback port (VS Code has no field for it)`. Without values. */
  readonly lost: readonly string[]
}

/** What a host's entry is made of, before it is put into words. */
interface Parts {
  readonly server: WritableServer
  readonly url: string
  readonly headers: Texts
  readonly oauth: OAuthPins
  lose(what: string, why?: string): void
}

/** Writes a server as an entry of a host. `from` is how variables are written in `server`. */
export function writeEntry(server: WritableServer, from: ExpansionStyle, to: Host): WrittenEntry {
  const { title, speaks, expansion } = dialects[to]
  const lost: string[] = []
  const lose = (what: string, why = `${title} has no field for it`): void =>
    void lost.push(`${what} (${why})`)
  if (!speaks.includes(server.transport)) {
    lose(`a ${server.transport} server`, `${title} does not speak it`)
    return { entry: undefined, lost }
  }
  const rewrite = (text: string, what: string): string | undefined => {
    const written = rewriteText(text, from, expansion)
    if ('text' in written) return written.text
    lose(`${written.lost} in ${what}`, `${title} does not put that in`)
    return undefined
  }
  if (server.timeoutMs !== undefined && hasNoTimeout.includes(to)) lose('the time limit of a call')
  if (server.isDisabled === true) lose('that it is switched off')
  const tools = writeToolLists(server, to, lose)
  if (server.transport === 'stdio') {
    const entry = writeCommand(server, to, rewrite)
    return { entry: entry && { ...entry, ...tools }, lost }
  }
  const url = rewrite(server.url ?? '', 'the URL')
  if (url === undefined) return { entry: undefined, lost }
  const headers = rewriteHeaders(server, to, rewrite, lose)
  const parts: Parts = { server, url, headers, oauth: server.oauth ?? {}, lose }
  const entry = remoteWriters[to](parts)
  if (server.headersHelper !== undefined && entry['headersHelper'] === undefined) lose('the headers helper')
  return { entry: { ...entry, ...tools }, lost }
}

type Rewrite = (text: string, what: string) => string | undefined

function writeCommand(server: WritableServer, to: Host, rewrite: Rewrite): Entry | undefined {
  const command = rewrite(server.command ?? '', 'the command')
  const args = (server.args ?? []).map((arg, at) => rewrite(arg, `argument ${at + 1}`))
  // A command line with a hole in it is another command line.
  if (command === undefined || args.some((arg) => arg === undefined)) return undefined
  const env = Object.entries(server.env ?? {}).flatMap(([name, value]) => {
    const written = rewrite(value, `the variable ${name}`)
    return written === undefined ? [] : [[name, written] as const]
  })
  return {
    ...(['codex', 'gemini', 'claude-desktop'].includes(to) ? {} : { type: 'stdio' }),
    command,
    args: args.filter((arg) => arg !== undefined),
    ...(env.length === 0 ? {} : { env: Object.fromEntries(env) }),
    ...timeoutField(server, to),
  }
}

function rewriteHeaders(server: WritableServer, to: Host, rewrite: Rewrite, lose: Parts['lose']): Texts {
  const headers = Object.create(null) as Record<string, string>
  for (const [name, value] of Object.entries(server.headers ?? {})) {
    if (isSecretReference(value)) {
      if (to === 'warder') headers[name] = value
      else
        lose(`the header ${name}`, 'only Warder reads keychain:// references; warder add --bridge keeps it')
      continue
    }
    // Codex has its own fields for a value that is a variable.
    const written = to === 'codex' ? value : rewrite(value, `the header ${name}`)
    if (written !== undefined) headers[name] = written
  }
  for (const [name, { variable, prefix }] of Object.entries(server.headersFromEnv ?? {})) {
    const written =
      to === 'codex' ? undefined : rewriteText(`\${${variable}}`, 'shell', dialects[to].expansion)
    if (written !== undefined && 'text' in written) headers[name] = prefix + written.text
    else if (to !== 'codex') lose(`the header ${name}`, `${dialects[to].title} does not put variables in`)
  }
  return headers
}

/** The fields that hold objects, only where there is something in them. */
function field(key: string, value: EntryValue | undefined): Entry {
  const isEmpty = typeof value === 'object' && Object.keys(value).length === 0
  return value === undefined || isEmpty ? {} : { [key]: value }
}

const hasNoTimeout: readonly Host[] = ['vscode', 'cursor', 'claude-desktop']

function timeoutField({ timeoutMs }: WritableServer, to: Host): Entry {
  if (timeoutMs === undefined || hasNoTimeout.includes(to)) return {}
  return to === 'codex' ? { tool_timeout_sec: timeoutMs / 1000 } : { timeout: timeoutMs }
}

function writeToolLists({ tools = {} }: WritableServer, to: Host, lose: Parts['lose']): Entry {
  const { only, without } = tools
  const keys = toolKeys[to]
  if (keys !== undefined)
    return {
      ...(only === undefined ? {} : { [keys[0]]: only }),
      ...(without === undefined ? {} : { [keys[1]]: without }),
    }
  if (only !== undefined) lose('the only tools that it lets through')
  if (without !== undefined) lose('the tools that it leaves out')
  return {}
}

function writeClaude({ server, url, headers, oauth }: Parts, helper: WritableServer['headersHelper']): Entry {
  const pins: Entry = {
    ...field('clientId', oauth.clientId),
    ...field('callbackPort', oauth.callbackPort),
    ...field('scopes', oauth.scopes?.join(' ')),
    ...field('authServerMetadataUrl', oauth.metadataUrl),
  }
  return {
    type: server.transport,
    url,
    ...field('headers', headers),
    ...field('headersHelper', helper),
    ...field('oauth', pins),
    ...timeoutField(server, 'claude-code'),
  }
}

function losePins({ oauth, lose }: Parts, ...kept: readonly (keyof OAuthPins)[]): void {
  const words: Readonly<Record<keyof OAuthPins, string>> = {
    clientId: 'the client id',
    callbackPort: 'the callback port',
    scopes: 'the scopes it is limited to',
    metadataUrl: 'where the metadata of the authorization server is',
  }
  for (const key of Object.keys(words) as (keyof OAuthPins)[])
    if (oauth[key] !== undefined && !kept.includes(key)) lose(words[key])
}

const remoteWriters: Readonly<Record<Host, (parts: Parts) => Entry>> = {
  warder: (parts) => writeClaude(parts, listHelper(parts.server.headersHelper)),
  'claude-code': (parts) => writeClaude(parts, textHelper(parts.server.headersHelper)),
  'claude-desktop': () => ({}),
  vscode(parts) {
    losePins(parts, 'clientId')
    const { server, url, headers, oauth } = parts
    return {
      type: server.transport,
      url,
      ...field('headers', headers),
      ...field('oauth', { ...field('clientId', oauth.clientId) }),
    }
  },
  cursor(parts) {
    losePins(parts, 'clientId', 'scopes')
    const { url, headers, oauth } = parts
    const auth = {
      ...field('CLIENT_ID', oauth.clientId),
      ...(oauth.scopes === undefined ? {} : { scopes: oauth.scopes }),
    }
    return { url, ...field('headers', headers), ...field('auth', auth) }
  },
  codex(parts) {
    losePins(parts, 'clientId', 'scopes')
    const { server, url, oauth } = parts
    return {
      url,
      ...codexHeaders(parts),
      ...field('oauth', { ...field('client_id', oauth.clientId) }),
      ...(oauth.scopes === undefined ? {} : { scopes: oauth.scopes }),
      ...timeoutField(server, 'codex'),
    }
  },
  gemini(parts) {
    losePins(parts, 'clientId', 'scopes')
    const { server, url, headers, oauth } = parts
    const pins = {
      ...field('clientId', oauth.clientId),
      ...(oauth.scopes === undefined ? {} : { scopes: oauth.scopes }),
    }
    return {
      [server.transport === 'sse' ? 'url' : 'httpUrl']: url,
      ...field('headers', headers),
      ...field('oauth', Object.keys(pins).length === 0 ? {} : { enabled: true, ...pins }),
      ...timeoutField(server, 'gemini'),
    }
  },
}

/** A shell line only means the same as a list when it has nothing that a shell would act on. */
function listHelper(helper: WritableServer['headersHelper']): readonly string[] | undefined {
  if (typeof helper !== 'string') return helper
  return /^[\w@%+=:,./ -]+$/.test(helper) ? helper.trim().split(/ +/) : undefined
}

function textHelper(helper: WritableServer['headersHelper']): string | undefined {
  if (helper === undefined || typeof helper === 'string') return helper
  return helper.every((arg) => /^[\w@%+=:,./-]+$/.test(arg)) ? helper.join(' ') : undefined
}

function codexHeaders({ server, headers, lose }: Parts): Entry {
  const literal: Record<string, string> = {}
  const fromEnv: Record<string, string> = {}
  let bearer: string | undefined
  for (const [name, value] of Object.entries(headers)) {
    const [, prefix, variable] = /^(Bearer )?\$\{(?:env:)?([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(value) ?? []
    if (variable === undefined) {
      if (/\$\{|\$[A-Za-z_]/.test(value)) lose(`the header ${name}`, 'Codex puts no variables into a text')
      else literal[name] = value
    } else if (prefix === undefined) fromEnv[name] = variable
    else if (name.toLowerCase() === 'authorization') bearer = variable
    else lose(`the header ${name}`, 'Codex puts no variables into a text')
  }
  for (const [name, { variable, prefix }] of Object.entries(server.headersFromEnv ?? {})) {
    if (prefix === '') fromEnv[name] = variable
    else bearer = variable
  }
  return {
    ...field('http_headers', literal),
    ...field('env_http_headers', fromEnv),
    ...field('bearer_token_env_var', bearer),
  }
}
