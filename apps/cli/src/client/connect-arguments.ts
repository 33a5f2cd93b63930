import { readFileSync } from 'node:fs'
import { isJsonObject, isLoopbackHost, type JsonObject, readStrictText } from '@warder/protocol'
import type { Input, Option } from '../command.ts'
import { Problem } from '../problem.ts'
import { putVariablesIn, readHeader } from './read-words.ts'

/** A command line of `warder connect`, also when it was written for mcp-remote. */
export interface ConnectArguments {
  /** Name or URL of the server. */
  readonly word: string
  /** The program whose list of servers is meant. */
  readonly host?: string
  /** In the words of the other commands of a client. */
  readonly input: Input
  /** As they were written: variables are not put in yet. */
  readonly headers: readonly (readonly [string, string])[]
  readonly allow: readonly string[]
  readonly deny: readonly string[]
  readonly staticClient?: { readonly clientId: string; readonly clientSecret?: string }
  readonly documentUrl?: string
  readonly parameters: Readonly<Record<string, string>>
  readonly log: 'debug' | 'usual' | 'silent'
  /** For people: what of the command line has no effect, and why. Without values. */
  readonly notes: readonly string[]
}

/** What mcp-remote understands besides; shown in no help, since ours has better words for it. */
export const mcpRemoteOptions: Readonly<Record<string, Option>> = Object.fromEntries(
  Object.entries({
    'header-file': 'FILE',
    'ignore-tool': 'GLOB',
    transport: 'KIND',
    protocol: 'KIND',
    'callback-path': 'PATH',
    'auth-success-url': 'URL',
    'auth-timeout': 'SECONDS',
    'connect-timeout': 'SECONDS',
    'headers-timeout': 'SECONDS',
    'body-timeout': 'SECONDS',
    'ping-interval': 'SECONDS',
    'static-oauth-client-metadata': 'JSON',
    'static-oauth-client-info': 'JSON',
    'client-metadata-url': 'URL',
    'token-endpoint': 'URL',
    'authorize-param': 'NAME=VALUE',
    'allow-http': undefined,
    silent: undefined,
    'keep-alive': undefined,
    ipv4: undefined,
    'enable-proxy': undefined,
    'disable-cookies': undefined,
    'disable-resource-parameter': undefined,
    'device-code': undefined,
    'use-id-token': undefined,
  }).map(([name, value]) => [
    name,
    {
      says: 'as in mcp-remote',
      hidden: true as const,
      ...(value === undefined ? {} : { value, many: true as const }),
    },
  ]),
)

/** Accepted, and without a meaning here. */
const withoutEffect: Readonly<Record<string, string>> = {
  'callback-path':
    'the answer of a sign-in comes to /callback; register that address if you have registered the client yourself',
  'auth-success-url': 'Warder shows its own last page',
  'connect-timeout': 'a connection gets ten seconds',
  'headers-timeout': 'a call may take as long as the host waits',
  'body-timeout': 'a stream may be silent as long as it likes',
  'ping-interval': 'a broken stream is opened again',
  'keep-alive': 'a broken stream is opened again',
  transport: 'Warder finds out what the server speaks',
  protocol: 'Warder finds out what the server speaks',
  ipv4: 'addresses that do not answer are passed over',
  'enable-proxy': 'the proxy of the environment is always used',
  'disable-cookies': 'Warder keeps no cookies',
  'allow-http': 'http is for servers on this computer only, whatever this says',
}

/** Refused, since they would do harm. */
const harmful: Readonly<Record<string, string>> = {
  'use-id-token':
    'an ID token is for the client that asked for it, and no MCP server may accept it as an access token. Ask its operator for one that does not.',
  'token-endpoint':
    'a client secret goes to no endpoint that the metadata of its authorization server does not name. Say where those are by --metadata-url.',
}

/** Reads the command line. Throws `Problem` with the exit code 2 for what is wrong or would be unsafe. */
export function readConnectArguments(given: Input): ConnectArguments {
  const { words, lists, switches } = given
  const [word, port, ...others] = words
  if (word === undefined)
    throw new Problem('say what to connect to: warder connect https://notes.example.com/mcp', 2)
  checkWord(word)
  if (others.length > 0) throw new Problem(`${JSON.stringify(others[0])} is one word too many.`, 2)
  checkHarmless(given)
  const host = readHost(given.options['host'])
  const metadata = readJsonArgument('static-oauth-client-metadata', lists)
  const staticClient = readStaticClient(lists)
  const documentUrl = lists['client-metadata-url']?.at(-1)
  return {
    word,
    ...(host === undefined ? {} : { host }),
    input: withOurNames(given, port, metadata),
    headers: [
      ...(lists['header-file'] ?? []).flatMap(readHeaderFile),
      ...(lists['header'] ?? []).map((text) => readHeader(text)),
    ],
    allow: lists['allow-tool'] ?? [],
    deny: [...(lists['deny-tool'] ?? []), ...(lists['ignore-tool'] ?? [])],
    ...(staticClient === undefined ? {} : { staticClient }),
    ...(documentUrl === undefined ? {} : { documentUrl }),
    parameters: Object.fromEntries((lists['authorize-param'] ?? []).map(readParameter)),
    log: switches.has('debug') ? 'debug' : switches.has('silent') ? 'silent' : 'usual',
    notes: readNotes(given, metadata),
  }
}

const isGiven = ({ switches, lists }: Input, name: string): boolean =>
  switches.has(name) || lists[name] !== undefined

/** Whether the server is named by its address; else by its name in a list. */
export function isAddress(word: string): boolean {
  return /^https?:\/\//i.test(word)
}

/** The bridge greets the host before anything is looked up: what is no address at all must not get that far. */
function checkWord(word: string): void {
  if (!isAddress(word)) return
  const url = URL.parse(word)
  if (url === null)
    throw new Problem(
      'the address of the server is none: write it as in warder connect https://notes.example.com/mcp',
      2,
    )
  if (url.username !== '' || url.password !== '')
    throw new Problem('the address carries a name or a password. Leave these out: warder login signs in.', 2)
}

function checkHarmless(given: Input): void {
  for (const [name, why] of Object.entries(harmful)) {
    if (isGiven(given, name)) throw new Problem(`--${name} is refused: ${why}`, 2)
  }
}

function readNotes(given: Input, metadata: JsonObject | undefined): readonly string[] {
  const without = Object.entries(withoutEffect)
    .filter(([name]) => isGiven(given, name))
    .map(([name, why]) => `--${name} has no effect: ${why}.`)
  const unused = Object.keys(metadata ?? {}).filter((name) => name !== 'scope')
  return [
    ...without,
    ...(unused.length === 0
      ? []
      : [`Of --static-oauth-client-metadata only scope is used, not ${unused.join(', ')}.`]),
    ...(hasInlineSecret(given)
      ? [
          `Every program on this computer can read the secret in --${staticInfo}. Use @FILE or a variable of the environment instead.`,
        ]
      : []),
  ]
}

/** mcp-remote's words as those of `warder login`. */
function withOurNames(given: Input, port: string | undefined, metadata: JsonObject | undefined): Input {
  const { lists } = given
  const scope = metadata?.['scope']
  const last = (name: string): string | undefined => lists[name]?.at(-1)
  const resource = given.options['resource']
  const switches = new Set(given.switches)
  if (switches.has('device-code')) switches.add('device')
  if (switches.has('disable-resource-parameter') || resource?.trim() === '') switches.add('no-resource')
  const omitted = switches.has('no-resource')
  return {
    ...given,
    switches,
    options: {
      ...given.options,
      'callback-port': given.options['callback-port'] ?? port,
      timeout: given.options['timeout'] ?? last('auth-timeout'),
      scope: given.options['scope'] ?? (typeof scope === 'string' && scope.trim() !== '' ? scope : undefined),
      resource: omitted ? undefined : resource,
    },
  }
}

/** mcp-remote means the host name of the redirect address by it; we mean the program whose list of servers is read. */
function readHost(host: string | undefined): string | undefined {
  if (host === undefined || isLoopbackHost(host)) return undefined
  if (/^[a-z][a-z-]*$/.test(host)) return host
  throw new Problem(
    '--host is refused: the answer of a sign-in is received on this computer only. Without it the address is right.',
    2,
  )
}

function readHeaderFile(file: string): readonly (readonly [string, string])[] {
  const lines = readText(file, '--header-file').split(/\r?\n/)
  return lines
    .filter((line) => line.trim() !== '' && !line.trimStart().startsWith('#'))
    .map((line) => readHeader(line, `a line of ${file}`))
}

function readText(file: string, where: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new Problem(`the file of ${where} cannot be read: ${file} (${code}).`, 2)
  }
}

/** A JSON object, inline or as `@FILE`. */
function readJsonArgument(name: string, lists: Input['lists']): JsonObject | undefined {
  const text = lists[name]?.at(-1)
  if (text === undefined) return undefined
  try {
    const value = readStrictText(text.startsWith('@') ? readText(text.slice(1), `--${name}`) : text)
    if (isJsonObject(value)) return value
  } catch (error) {
    if (error instanceof Problem) throw error
  }
  throw new Problem(`--${name} takes a JSON object, or @FILE with one.`, 2)
}

const staticInfo = 'static-oauth-client-info'

function readStaticClient(lists: Input['lists']): ConnectArguments['staticClient'] {
  const info = readJsonArgument(staticInfo, lists)
  if (info === undefined) return undefined
  const { client_id: id, client_secret: secret } = info
  if (typeof id !== 'string' || id === '') throw new Problem(`--${staticInfo} has no client_id.`, 2)
  const clientId = putVariablesIn(id, `--${staticInfo}`)
  if (typeof secret !== 'string') return { clientId }
  return { clientId, clientSecret: putVariablesIn(secret, `--${staticInfo}`) }
}

function hasInlineSecret({ lists }: Input): boolean {
  const text = lists[staticInfo]?.at(-1)
  if (text === undefined || text.startsWith('@')) return false
  const secret = readJsonArgument(staticInfo, lists)?.['client_secret']
  return typeof secret === 'string' && !/^\$\{\w+\}$/.test(secret)
}

function readParameter(text: string): readonly [string, string] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new Problem('--authorize-param takes NAME=VALUE.', 2)
  return [text.slice(0, equals), text.slice(equals + 1)]
}
