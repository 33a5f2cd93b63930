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
import { bridgedUrl, readBridgedCommand } from './bridged-command.ts'
import { chooseEntry, type Purpose } from './choose-entry.ts'
import { showUrl } from './show-url.ts'

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
  /** What its entry lets through, where that is a `warder connect` with such options. */
  readonly bridgedTools?: Pick<ServerToolOptions, 'allow' | 'deny'>
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
 * others, where a name that means two servers is a Problem. Variables are expanded, managed lists are asked
 * unless somebody only looks; nothing is fetched.
 */
export async function findServer(
  word: string,
  {
    host,
    places = ownPlaces(),
    purpose = 'use',
  }: { readonly host?: Host; readonly places?: HostPlaces; readonly purpose?: Purpose } = {},
): Promise<FoundServer> {
  const config = await loadHostConfig(places)
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(word)) return foundUrl(config, word, purpose)
  const found = (host === undefined ? hosts : [host])
    .map((one) => resolveServer(config, word, one))
    .filter((one) => one !== undefined && bridgeTargets(one.server)?.includes(word) !== true)
    .filter((one) => one !== undefined)
  return foundEntry(config, chooseEntry(word, found, { config, purpose }), { word, purpose })
}

/**
 * The rules for the tools of a found server: those of Claude Code's settings, of its entry, and of the
 * command line.
 */
export function toolRulesOf(
  { name, server, entry, bridgedTools, config }: FoundServer,
  options: Pick<ServerToolOptions, 'allow' | 'deny' | 'ask'> = {},
): ServerToolRules {
  const rulesFor = (more: ServerToolOptions): ServerToolRules =>
    serverToolRules(name ?? new URL(server).host, config.toolRules, { ask: options.ask ?? 'refuse', ...more })
  try {
    const own = rulesFor({
      ...options,
      ...(entry?.tools === undefined ? {} : { tools: entry.tools }),
    })
    if (bridgedTools === undefined) return own
    // Two lists of what is allowed: a tool has to be on both.
    const bridged = rulesFor(bridgedTools)
    return {
      decide(tool, callArguments) {
        const decision = own.decide(tool, callArguments)
        return decision.allow ? bridged.decide(tool, callArguments) : decision
      },
    }
  } catch (error) {
    if (error instanceof RangeError) throw new Problem(error.message, 2)
    throw error
  }
}

function foundUrl(config: HostConfig, word: string, purpose: Purpose): FoundServer {
  const url = URL.parse(word)
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new Problem(`${plain(word)} is no address of an MCP server: it must begin with https://`, 2)
  if (url.username !== '' || url.password !== '')
    throw new Problem('the address carries a name or a password. Leave these out: warder login signs in.', 2)
  const decision = decideManaged(config.policy, { name: url.host, url: word })
  if (purpose === 'use' && !decision.isAllowed)
    throw new Problem(`${showUrl(word)} is not allowed here: ${plain(decision.why)}.`)
  return { server: word, transport: 'http', headers: {}, config, warnings: [] }
}

function foundEntry(
  config: HostConfig,
  { server, status, why, expanded }: EffectiveServer,
  { word, purpose }: { readonly word: string; readonly purpose: Purpose },
): FoundServer {
  const where = `${plain(word)}, in ${plain(whereIs(server))}`
  if (purpose === 'use' && status !== 'active')
    throw new Problem(`${where}, is not used: ${plain(why)}.${nextStep(word, server, status)}`)
  const bridged = bridgedUrl(server)
  if (bridged !== undefined)
    return {
      ...foundUrl(config, bridged, purpose),
      name: server.name,
      entry: server,
      bridgedTools: readBridgedCommand(expanded.args ?? []).tools,
    }
  if (server.transport === 'stdio')
    throw new Problem(
      `${where}, is a local server: ${dialects[server.source.host].title} starts it, and there is nothing to sign in to.`,
      2,
    )
  if (server.transport === 'ws')
    throw new Problem(`${where}, is a WebSocket server: these know no sign-in.`, 2)
  const block = expanded.blocks.find((one) => purpose === 'use' || isAboutUrl(one))
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

/** Without its variables the address is another one, under which no sign-in is stored. */
const isAboutUrl = (block: string): boolean => block.endsWith(' in the URL is not set')
