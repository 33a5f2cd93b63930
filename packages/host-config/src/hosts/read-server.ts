import { type HostMember, type HostNode, memberOf, textOf } from '../documents/host-node.ts'
import { readPieces } from '../expand.ts'
import type { Finding, Place } from '../finding.ts'
import type { ServerConfig, ServerSource, Transport } from '../server-config.ts'
import { hasHiddenCharacter, isDangerousName, isPlainName, reservedNames } from '../server-name.ts'
import { dialects } from './dialects.ts'
import { type EntryReader, makeEntryReader } from './entry-reader.ts'
import { readOAuth } from './read-oauth.ts'
import { toolKeys } from './tool-keys.ts'

/**
 * One entry of a table of servers. A mistake never throws: what cannot be used at all has `broken`, and only
 * a name that is dangerous in itself leaves nothing.
 */
export function readServer(
  { key, keyPlace, value: node }: HostMember,
  at: Pick<ServerSource, 'host' | 'scope' | 'file' | 'path' | 'plugin'>,
): { readonly server: ServerConfig | undefined; readonly findings: readonly Finding[] } {
  const name = at.plugin === undefined ? key : `plugin:${at.plugin.name}:${key}`
  const source: ServerSource = {
    ...at,
    path: [...at.path, key],
    line: keyPlace.line,
    column: keyPlace.column,
  }
  if (isDangerousName(key)) {
    const message = `A server cannot be called ${JSON.stringify(key)}.`
    return {
      server: undefined,
      findings: [{ level: 'error', rule: 'dangerous-name', message, place: keyPlace }],
    }
  }
  const read = makeEntryReader(name, node)
  checkName(key, keyPlace, source, read)
  const transport = readTransport(node, source, read)
  const fields = node.kind === 'object' ? readFields(transport, source, read) : {}
  if (node.kind !== 'object') read.fail('wrong-type', 'A server is an object with its fields.', node.place)
  const [broken] = read.findings.filter(({ level }) => level === 'error')
  const server: ServerConfig = {
    name,
    transport,
    ...fields,
    source,
    node,
    ...(broken === undefined ? {} : { broken }),
  }
  return { server, findings: read.findings }
}

function checkName(key: string, place: Place, { host }: ServerSource, read: EntryReader): void {
  if (hasHiddenCharacter(key)) {
    read.fail('hidden-character', 'The name has characters that cannot be seen.', place)
    return
  }
  if (host !== 'claude-code' || isPlainName(key)) return
  const message = reservedNames.has(key)
    ? `Claude Code keeps the name ${JSON.stringify(key)} for itself.`
    : 'Claude Code’s own commands take only letters, digits, _ and - in a name.'
  read.warn('server-name', message, place)
}

const typeWords: Readonly<Record<string, Transport>> = {
  stdio: 'stdio',
  local: 'stdio',
  http: 'http',
  'streamable-http': 'http',
  streamableHttp: 'http',
  sse: 'sse',
  ws: 'ws',
}

function readTransport(node: HostNode, { host }: ServerSource, read: EntryReader): Transport {
  const { typeOfUrl } = dialects[host]
  const type = memberOf(node, 'type')
  const url = memberOf(node, 'url')
  if (host === 'gemini' && memberOf(node, 'httpUrl') !== undefined) return 'http'
  if (type !== undefined) {
    const word = textOf(type)
    const known = word !== undefined && Object.hasOwn(typeWords, word) ? typeWords[word] : undefined
    if (known !== undefined) return known
    read.fail('transport', 'type must be one of: stdio, http, sse, ws.', type.place)
    return url === undefined ? 'stdio' : 'http'
  }
  if (url === undefined) return 'stdio'
  if (typeOfUrl !== 'required') return memberOf(node, 'command') === undefined ? typeOfUrl : 'stdio'
  read.fail('transport', 'An entry with a url needs its type: "http", "sse" or "ws".', url.place)
  return 'http'
}

type Fields = Omit<ServerConfig, 'name' | 'transport' | 'source' | 'node' | 'broken'>

function readFields(transport: Transport, source: ServerSource, read: EntryReader): Fields {
  return {
    ...(transport === 'stdio' ? readCommand(read) : readRemote(transport, source, read)),
    ...readOAuth(transport, source.host, read),
    ...readTimeout(source.host, read),
    ...readToolLists(source.host, read),
    ...(isSwitchedOff(source.host, read) ? { isDisabled: true } : {}),
    ...(source.host === 'gemini' && read.flag('trust') === true ? { isTrusted: true } : {}),
  }
}

function readCommand(read: EntryReader): Fields {
  const command = read.text('command')
  const args = read.texts('args')
  const env = read.table('env')
  if (command === undefined || command.trim() === '')
    read.fail('transport', 'A stdio server needs a command.', read.placeOf('command'))
  for (const [at, arg] of (args ?? []).entries()) read.checkText(arg, ['args', at], 'an argument')
  if (command !== undefined) read.checkText(command, ['command'], 'the command')
  for (const [key, value] of Object.entries(env ?? {}))
    read.checkText(value, ['env', key], `the variable ${key}`)
  return {
    ...(command === undefined ? {} : { command }),
    ...(args === undefined ? {} : { args }),
    ...(env === undefined ? {} : { env }),
  }
}

function readRemote(transport: Transport, { host }: ServerSource, read: EntryReader): Fields {
  const key = host === 'gemini' && read.has('httpUrl') ? 'httpUrl' : 'url'
  const url = read.text(key)
  if (url === undefined || url === '')
    read.fail('url', `A ${transport} server needs a ${key}.`, read.placeOf(key))
  else checkUrl(url, key, transport, host, read)
  const table = host === 'codex' ? 'http_headers' : 'headers'
  const headers = read.table(table)
  for (const [name, value] of Object.entries(headers ?? {})) read.checkHeader(table, name, value)
  if (host === 'codex' && read.has('headers'))
    read.warn('ignored-field', 'Codex does not read headers; it reads http_headers.', read.placeOf('headers'))
  const helper = readHelper(host, read)
  return {
    ...(url === undefined ? {} : { url }),
    ...(headers === undefined ? {} : { headers }),
    ...(host === 'codex' ? readHeaderVariables(read) : {}),
    ...(helper === undefined ? {} : { headersHelper: helper }),
  }
}

function checkUrl(
  url: string,
  key: string,
  transport: Transport,
  host: ServerSource['host'],
  read: EntryReader,
): void {
  read.checkText(url, [key], 'the URL')
  const hasVariables = readPieces(url, dialects[host].expansion).some(({ kind }) => kind !== 'text')
  if (hasVariables) return
  const place = read.placeOf(key)
  const parsed = URL.parse(url.trim())
  const wanted = transport === 'ws' ? ['ws:', 'wss:'] : ['http:', 'https:']
  if (parsed === null) read.fail('url', 'This is not a URL.', place)
  else if (!wanted.includes(parsed.protocol))
    read.fail(
      'url',
      `A ${transport} server has a URL that begins with ${wanted.map((word) => `${word}//`).join(' or ')}.`,
      place,
    )
  else if (parsed.username !== '' || parsed.password !== '')
    read.warn('url', 'The URL carries a name or a password; these belong into a header.', place)
}

function readHelper(host: ServerSource['host'], read: EntryReader): string | readonly string[] | undefined {
  if (!read.has('headersHelper')) return undefined
  if (host !== 'claude-code' && host !== 'warder') {
    read.warn(
      'ignored-field',
      `${dialects[host].title} does not know headersHelper.`,
      read.placeOf('headersHelper'),
    )
    return undefined
  }
  if (host === 'warder') return read.texts('headersHelper')
  return read.text('headersHelper')
}

function readHeaderVariables(read: EntryReader): Fields {
  const bearer = read.text('bearer_token_env_var')
  const named = read.table('env_http_headers')
  if (bearer === undefined && named === undefined) return {}
  const headersFromEnv = Object.create(null) as Record<string, { variable: string; prefix: string }>
  for (const [name, variable] of Object.entries(named ?? {})) headersFromEnv[name] = { variable, prefix: '' }
  if (bearer !== undefined) headersFromEnv['Authorization'] = { variable: bearer, prefix: 'Bearer ' }
  return { headersFromEnv }
}

function readTimeout(host: ServerSource['host'], read: EntryReader): Fields {
  const given = read.number(host === 'codex' ? 'tool_timeout_sec' : 'timeout')
  if (given === undefined) return {}
  const timeoutMs = host === 'codex' ? given * 1000 : given
  // Claude Code leaves a timeout under a second alone: somebody meant seconds.
  return timeoutMs >= 1000 && Number.isFinite(timeoutMs) ? { timeoutMs } : {}
}

function readToolLists(host: ServerSource['host'], read: EntryReader): Fields {
  const keys = toolKeys[host]
  if (keys === undefined) return {}
  const only = read.texts(keys[0])
  const without = read.texts(keys[1])
  if (only === undefined && without === undefined) return {}
  return { tools: { ...(only === undefined ? {} : { only }), ...(without === undefined ? {} : { without }) } }
}

/** Claude Code has no such field: it keeps its switches elsewhere. */
function isSwitchedOff(host: ServerSource['host'], read: EntryReader): boolean {
  return host !== 'claude-code' && (read.flag('disabled') === true || read.flag('enabled') === false)
}
