import { homedir } from 'node:os'
import { cwd, env, platform } from 'node:process'
import {
  bridgeTargets,
  decideManaged,
  dialects,
  type EffectiveServer,
  type Host,
  type HostConfig,
  type HostPlaces,
  hosts,
  loadHostConfig,
  type OAuthPins,
  resolveServer,
  type ServerConfig,
  type ServerToolOptions,
  type ServerToolRules,
  serverToolRules,
  type Texts,
  whereIs,
} from '@warder/host-config'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'

/** What signing in at a server needs to know about it. */
export interface ServerTarget extends OAuthPins {
  /** Its URL, as it was written. */
  readonly server: string
  /** As it is called in the list where it was found; absent for a URL from the command line. */
  readonly name?: string
}

/** A remote server that a command was asked to connect to or to sign in at. */
export interface FoundServer extends ServerTarget {
  readonly transport: 'http' | 'sse'
  /**
   * Variables are put in; references to secrets are not yet. Send none of it before `loadHeaders` has made it
   * whole.
   */
  readonly headers: Texts
  readonly timeoutMs?: number
  /** Its entry; absent for a URL from the command line. */
  readonly entry?: ServerConfig
  readonly config: HostConfig
  /** For people: what is odd about the entry. Without values. */
  readonly warnings: readonly string[]
}

/** Where this process looks for the lists of servers. */
export function ownPlaces(): HostPlaces {
  return { cwd: cwd(), home: homedir(), env, platform }
}

/**
 * Finds a server by its URL or by its name in the lists of the hosts: in Warder's own list first, then in the
 * others, where a name that means two servers is a Problem. Variables are expanded, managed lists are asked;
 * nothing is fetched.
 */
export async function findServer(
  word: string,
  { host, places = ownPlaces() }: { readonly host?: Host; readonly places?: HostPlaces } = {},
): Promise<FoundServer> {
  const config = await loadHostConfig(places)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return foundUrl(config, word)
  const found = (host === undefined ? hosts : [host])
    .map((one) => resolveServer(config, word, one))
    .filter((one) => one !== undefined && bridgeTargets(one.server)?.includes(word) !== true)
    .filter((one) => one !== undefined)
  return foundEntry(config, chooseOne(word, found, config), word)
}

/**
 * The rules for the tools of a found server: those of Claude Code's settings, of its entry, and of the
 * command line.
 */
export function toolRulesOf(
  { name, server, entry, config }: FoundServer,
  options: Pick<ServerToolOptions, 'allow' | 'deny' | 'ask'> = {},
): ServerToolRules {
  try {
    return serverToolRules(name ?? new URL(server).host, config.toolRules, {
      ...options,
      ...(entry?.tools === undefined ? {} : { tools: entry.tools }),
    })
  } catch (error) {
    if (error instanceof RangeError) throw new Problem(error.message, 2)
    throw error
  }
}

function foundUrl(config: HostConfig, word: string): FoundServer {
  const url = URL.parse(word)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Problem(`${plain(word)} is no address of an MCP server: it must begin with https://`, 2)
  if (url.username !== '' || url.password !== '')
    throw new Problem('the address carries a name or a password. Leave these out: warder login signs in.', 2)
  const decision = decideManaged(config.policy, { name: url.host, url: word })
  if (!decision.isAllowed) throw new Problem(`${plain(word)} is not allowed here: ${plain(decision.why)}.`)
  return { server: word, transport: 'http', headers: {}, config, warnings: [] }
}

/** One of the entries of a name, or a Problem that says what to do. */
function chooseOne(word: string, found: readonly EffectiveServer[], config: HostConfig): EffectiveServer {
  const own = found.find(({ server }) => server.source.host === 'warder')
  if (own !== undefined) return own
  const remote = found.filter(
    ({ server }) => server.transport !== 'stdio' || bridgeTargets(server) !== undefined,
  )
  const active = remote.filter(({ status }) => status === 'active')
  const endpoints = new Set(active.map(({ expanded, server }) => expanded.url ?? bridgedUrl(server)))
  if (endpoints.size > 1) {
    const choices = active.map(({ server }) => `--host ${server.source.host}`).join(' or ')
    throw new Problem(`${plain(word)} means different servers in different hosts. Say which: ${choices}`, 2)
  }
  const chosen = active[0] ?? remote[0] ?? found[0]
  if (chosen !== undefined) return chosen
  const looked = config.documents.length
  throw new Problem(
    `no list of servers has ${plain(word)} (looked into ${looked} ${looked === 1 ? 'file' : 'files'}). ` +
      `Add it: warder add ${plain(word)} URL. What there is: warder list`,
    2,
  )
}

function foundEntry(
  config: HostConfig,
  { server, status, why, expanded }: EffectiveServer,
  word: string,
): FoundServer {
  const where = `${plain(word)}, in ${plain(whereIs(server))}`
  if (status !== 'active')
    throw new Problem(`${where}, is not used: ${plain(why)}.${nextStep(word, server, status)}`)
  const bridged = bridgedUrl(server)
  if (bridged !== undefined) return foundUrl(config, bridged)
  if (server.transport === 'stdio')
    throw new Problem(
      `${where}, is a local server: ${dialects[server.source.host].title} starts it, and there is nothing to sign in to.`,
      2,
    )
  if (server.transport === 'ws')
    throw new Problem(`${where}, is a WebSocket server: these know no sign-in.`, 2)
  const [block] = expanded.blocks
  if (block !== undefined) throw new Problem(`${where}, cannot be used: ${plain(block)}. Nothing was sent.`)
  const url = expanded.url ?? ''
  if (!['http:', 'https:'].includes(URL.parse(url)?.protocol ?? ''))
    throw new Problem(`${where}, has no address that begins with https://.`)
  return {
    ...server.oauth,
    server: url,
    name: server.name,
    transport: server.transport,
    headers: expanded.headers ?? {},
    ...(server.timeoutMs === undefined ? {} : { timeoutMs: server.timeoutMs }),
    entry: server,
    config,
    warnings: [
      ...config.findings.filter(
        (finding) => finding.server === server.name && finding.place.file === server.source.file,
      ),
      ...expanded.findings,
    ].map(({ message, place }) => plain(`${place.file}:${place.line}: ${message}`)),
  }
}

function nextStep(word: string, { source }: ServerConfig, status: EffectiveServer['status']): string {
  if (status !== 'pending') return ''
  return ` Approve it there, or take it into your own list: warder import --from ${source.host} ${plain(word)}`
}

function bridgedUrl(server: ServerConfig): string | undefined {
  return bridgeTargets(server)?.find((word) => /^https?:\/\//i.test(word))
}
