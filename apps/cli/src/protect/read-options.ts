import { isServerName } from '@warder/policy'
import { isLoopbackHost, splitWebUri } from '@warder/protocol'
import type { Input } from '../command.ts'
import { defaultDataPath } from '../data-directory.ts'
import { type DatabaseAddress, readDatabase } from '../database.ts'
import { Problem } from '../problem.ts'
import { isLocalhost } from './is-localhost.ts'

/** What `warder protect` was asked to do, checked. */
export interface ProtectOptions {
  /** The upstream, when the arguments name one; else the policy file does. */
  readonly upstream: { readonly run: readonly string[] } | { readonly url: string } | undefined
  /** The name that was given, or undefined: then it is derived. */
  readonly name: string | undefined
  readonly port: number
  readonly host: string
  /** The origin under which clients reach this server, once the port is known. */
  publicUrl(port: number): string
  readonly trustProxy: boolean
  /** Files of the certificate and the key with which we speak TLS ourselves. */
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined
  /** A foreign authorization server, or undefined: ours. */
  readonly issuer: string | undefined
  /** Subject of the foreign issuer that a generated policy gives everything. */
  readonly owner: string | undefined
  readonly policyFile: string
  /** One child of a command for all users. */
  readonly share: boolean
  /** Commands run in a sandbox. */
  readonly sandbox: boolean
  /** The state of all nodes, or undefined: a file in the state directory. */
  readonly database: DatabaseAddress | undefined
  /** The secret of all nodes, or undefined: the one in the state directory. */
  readonly secretFile: string | undefined
  dataPath(name: string): string
  readonly json: boolean
}

/** Reads and checks the arguments; every problem is one clear line. */
export function readProtectOptions(input: Input): ProtectOptions {
  if (input.words.length > 0) {
    throw new Problem(
      `unexpected ${JSON.stringify(input.words[0])}. A command to protect goes behind two dashes: warder protect -- ${input.words.join(' ')}`,
      2,
    )
  }
  const { options, switches } = input
  const name = options['name']
  if (name !== undefined && !isServerName(name)) {
    throw new Problem(
      '--name takes lower-case letters, digits and dashes, 63 at most, and no path of Warder itself.',
      2,
    )
  }
  const port = readPort(options['port'] ?? '8765')
  const host = options['host'] ?? '127.0.0.1'
  const trustProxy = switches.has('trust-proxy')
  const tls = readTls(input)
  const database = readDatabase(input)
  if (database !== undefined && options['issuer'] !== undefined) {
    throw new Problem(
      'with --issuer another server has the users and grants, so there is nothing for --database (or WARDER_DATABASE) to keep: leave it out, and give each node the same policy file.',
      2,
    )
  }
  return {
    database,
    secretFile: options['secret-file'],
    upstream: readUpstream(input),
    name,
    port,
    host,
    publicUrl: readPublicUrl(options['public-url'], { host, trustProxy, tls: tls !== undefined }),
    trustProxy,
    tls,
    issuer: options['issuer'] === undefined ? undefined : readIssuer(options['issuer']),
    owner: options['owner'],
    policyFile: options['policy'] ?? 'warder.yaml',
    dataPath: (resolved) => options['data'] ?? defaultDataPath(resolved),
    share: readForCommands('share', input),
    sandbox: readForCommands('sandbox', input),
    json: switches.has('json'),
  }
}

function readForCommands(name: string, { options, switches }: Input): boolean {
  if (!switches.has(name)) return false
  if (options['url'] !== undefined)
    throw new Problem(`--${name} is for a command that Warder runs; what is behind --url runs by itself.`, 2)
  return true
}

function readUpstream({ options, behindDashes }: Input): ProtectOptions['upstream'] {
  const url = options['url']
  if (url !== undefined && behindDashes !== undefined)
    throw new Problem('give --url or a command behind --, not both.', 2)
  if (behindDashes !== undefined) {
    if (behindDashes.length === 0) throw new Problem('there is no command behind --.', 2)
    return { run: behindDashes }
  }
  if (url === undefined) return undefined
  // As strict as the gateway that will send to it, which takes nothing that a URL parser would have to repair.
  if (splitWebUri(url) === undefined) {
    throw new Problem(
      '--url takes the http or https address of an MCP server, such as http://127.0.0.1:3001/mcp: without user name, password and fragment (#), the host in ASCII (xn--…) or a whole IP address, and other unusual characters as %XX.',
      2,
    )
  }
  return { url }
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new Problem('--port takes a number from 0 to 65535; 0 picks a free one.', 2)
  return port
}

function readTls({ options }: Input): ProtectOptions['tls'] {
  const { 'tls-cert': certFile, 'tls-key': keyFile } = options
  if (certFile === undefined && keyFile === undefined) return undefined
  if (certFile === undefined || keyFile === undefined)
    throw new Problem('--tls-cert and --tls-key go together: give both.', 2)
  return { certFile, keyFile }
}

function readPublicUrl(
  text: string | undefined,
  door: { readonly host: string; readonly trustProxy: boolean; readonly tls: boolean },
): (port: number) => string {
  const { host, trustProxy, tls } = door
  if (text === undefined) {
    if (isLocalhost(host)) return (port) => `${tls ? 'https' : 'http'}://localhost:${port}`
    if (isLoopbackHost(host)) {
      throw new Problem(
        `--host ${host} is not where localhost leads, so --public-url is needed: the address under which clients reach this server, such as the https one of a proxy.`,
        2,
      )
    }
    if (tls) {
      throw new Problem(
        `--host ${host} is reachable from other computers, so --public-url is needed: the https address with the name that the certificate is for.`,
        2,
      )
    }
    throw new Problem(
      `--host ${host} is reachable from other computers, so --public-url https://… is needed, and either --trust-proxy (Warder stands behind a proxy that speaks TLS) or --tls-cert and --tls-key (Warder speaks TLS itself).`,
      2,
    )
  }
  const origin = readOrigin(text, tls)
  if (!isLoopbackHost(host) && !trustProxy && !tls) {
    throw new Problem(
      `--host ${host} is reachable from other computers without TLS. Put a proxy in front and add --trust-proxy, give --tls-cert and --tls-key, or listen on 127.0.0.1.`,
      2,
    )
  }
  return () => origin
}

/** The origin that a `--public-url` names. With TLS of our own, plain http is never meant. */
export function readOrigin(text: string, tls = false): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  if (
    parsed === undefined ||
    parsed.search !== '' ||
    parsed.hash !== '' ||
    parsed.username !== '' ||
    parsed.password !== ''
  ) {
    throw new Problem('--public-url takes an address such as https://mcp.example.com.', 2)
  }
  const isLoopbackHttp = !tls && parsed.protocol === 'http:' && parsed.hostname === 'localhost'
  if (parsed.protocol !== 'https:' && !isLoopbackHttp) {
    throw new Problem('--public-url must be https; plain http is for http://localhost only, without TLS.', 2)
  }
  if (parsed.pathname !== '/') throw new Problem('--public-url must not have a path.', 2)
  return parsed.origin
}

function readIssuer(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  const fine =
    parsed !== undefined &&
    (parsed.protocol === 'https:' || (parsed.protocol === 'http:' && isLoopbackHost(parsed.hostname)))
  if (!fine || parsed.search !== '' || parsed.hash !== '') {
    throw new Problem(
      '--issuer takes the https address of an authorization server, exactly as its metadata names it.',
      2,
    )
  }
  return text
}

/** Words in a command or host name that say nothing about the server. */
const sayNothing =
  /^(index|main|server|cli|app|run|start|stdio|dist|build|src|lib|bin|out|node_modules|mcp|www|api|localhost)$/

/** A server's name from what is protected: the most telling word of the command's arguments, or of the URL's host. */
export function deriveName(upstream: NonNullable<ProtectOptions['upstream']>): string {
  const words = 'url' in upstream ? new URL(upstream.url).hostname.split('.') : wordsOfCommand(upstream.run)
  return (
    words.map(asName).find((word) => isServerName(word) && !sayNothing.test(word) && !/^\d/.test(word)) ??
    'server'
  )
}

/** `npx -y @scope/some-server@1 /data` → some-server, scope; the program itself comes last. */
function wordsOfCommand([program = '', ...rest]: readonly string[]): string[] {
  const named = rest.filter((word) => !word.startsWith('-'))
  return [...named.slice(0, 1), program].flatMap((word) =>
    word
      .replace(/(?<=.)@[^@/]*$/, '')
      .split(/[/\\]/)
      .reverse(),
  )
}

function asName(word: string): string {
  return word
    .toLowerCase()
    .replace(/\.(m?[jt]s|py|exe)$/, '')
    .replace(/^(mcp-server-|server-|mcp-)|(-mcp-server|-mcp|-server)$/g, '')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63)
}
