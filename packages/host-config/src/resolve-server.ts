import { nodeAt, textOf } from './documents/host-node.ts'
import { type ExpandedServer, expandServer } from './expand-server.ts'
import { dialects } from './hosts/dialects.ts'
import { listPlace } from './hosts/places.ts'
import type { HostConfig } from './load-host-config.ts'
import { decideManaged, type ManagedDecision } from './policy/decide-managed.ts'
import { readBridge } from './policy/wrapped-urls.ts'
import { type Host, type ServerConfig, scopes } from './server-config.ts'

/** What becomes of an entry. */
export type ServerStatus =
  /** Its host uses it. */
  | 'active'
  /** A stronger entry of its name, or of its endpoint, is used instead. */
  | 'overridden'
  /** It comes with the checkout, and nobody has approved it. */
  | 'pending'
  | 'rejected'
  /** Switched off by the user or by the entry itself. */
  | 'disabled'
  /** Managed lists do not let it through. */
  | 'denied'
  /** The administrator lets no servers of this kind through. */
  | 'excluded'
  | 'broken'

/** An entry with what becomes of it, and why. */
export interface ListedServer {
  readonly server: ServerConfig
  readonly status: ServerStatus
  /** In words; empty for one that is simply used. */
  readonly why: string
  readonly expanded: ExpandedServer
}

/** The server that a name stands for, and how that came about. */
export interface EffectiveServer extends ListedServer {
  /** Every entry of this name in this host, from the strongest on. */
  readonly trail: readonly ListedServer[]
}

/** Every entry of every host, with what becomes of it. */
export function listServers(config: HostConfig): readonly ListedServer[] {
  const names = new Map<string, ServerConfig>()
  for (const server of config.servers) {
    const key = JSON.stringify([server.source.host, server.name])
    if (!names.has(key)) names.set(key, server)
  }
  return [...names.values()].flatMap(
    ({ name, source }) => resolveServer(config, name, source.host)?.trail ?? [],
  )
}

/**
 * The server that a name stands for in a host, by the host's own precedence: managed > local > project > user
 * > plugin > connector, where a whole entry wins and fields are never mixed. What waits for approval, or was
 * rejected, hides nothing; a broken entry does, so that a mistake in a strong file does not bring a weak one
 * to life. Variables are expanded here.
 *
 * Starts and fetches nothing. Undefined when the host has no entry of this name.
 */
export function resolveServer(
  config: HostConfig,
  name: string,
  host: Host = 'claude-code',
): EffectiveServer | undefined {
  const entries = config.servers
    .filter((server) => server.source.host === host && server.name === name)
    .map((server, order) => ({ server, order }))
    .sort((a, b) => rank(a.server) - rank(b.server) || a.order - b.order)
    .map(({ server }) => server)
  let winner: ListedServer | undefined
  const trail = entries.map((server): ListedServer => {
    const expanded = expandServer(server, config)
    const kept = keptOut(config, server)
    if (kept !== undefined) return { server, expanded, ...kept }
    if (winner !== undefined)
      return {
        server,
        expanded,
        status: 'overridden',
        why: `${whereIs(winner.server)} has the same name and is stronger`,
      }
    const listed: ListedServer = { server, expanded, ...decideOwn(config, server, expanded) }
    winner = listed
    return listed
  })
  const chosen = winner ?? trail[0]
  return chosen === undefined ? undefined : { ...chosen, trail }
}

function rank({ source }: ServerConfig): number {
  return scopes.indexOf(source.scope)
}

type Verdict = Pick<ListedServer, 'status' | 'why'>

/** Why an entry does not even take part. */
function keptOut(config: HostConfig, server: ServerConfig): Verdict | undefined {
  const { host, scope } = server.source
  const { policy } = config
  if (host === 'claude-code' && policy.isExclusive && scope !== 'managed')
    return {
      status: 'excluded',
      why: 'the administrator has a list of servers, and Claude Code takes no others',
    }
  if (host === 'claude-code' && policy.pluginsOnly && ['local', 'project', 'user'].includes(scope))
    return { status: 'excluded', why: 'the administrator lets only plugins bring servers' }
  if (scope === 'project') return decideApproval(config, server)
  return undefined
}

/** A checkout must not decide by itself what is connected to. */
function decideApproval(config: HostConfig, { name, source }: ServerConfig): Verdict | undefined {
  if (source.host === 'codex') {
    const place = listPlace('codex', 'user', config.places)
    const document = config.documents.find(({ file }) => file === place?.file)
    if (textOf(nodeAt(document?.root, ['projects', config.project, 'trust_level'])) === 'trusted')
      return undefined
    return { status: 'pending', why: 'Codex reads it only in a project that you trust' }
  }
  if (source.host !== 'claude-code')
    return {
      status: 'pending',
      why: `it comes with the project, and only ${dialects[source.host].title} knows whether you trust it`,
    }
  const { claudeProject, settings } = config
  if (claudeProject.rejected.includes(name) || settings.some(({ rejected }) => rejected.includes(name)))
    return { status: 'rejected', why: 'you have rejected this server of the project' }
  // What is committed cannot approve itself: files of the project count only once the folder is trusted.
  const counting = settings.filter(
    ({ layer }) => claudeProject.isTrusted || layer === 'managed' || layer === 'user',
  )
  const isApproved = [claudeProject, ...counting].some(
    ({ approvesAll, approved }) => approvesAll === true || approved.includes(name),
  )
  return isApproved
    ? undefined
    : { status: 'pending', why: 'it comes with the project, and you have not approved it in Claude Code' }
}

/** What becomes of the entry that has won its name. */
function decideOwn(config: HostConfig, server: ServerConfig, expanded: ExpandedServer): Verdict {
  if (server.broken !== undefined)
    return {
      status: 'broken',
      why: `${server.broken.message} (${server.broken.place.file}:${server.broken.place.line})`,
    }
  const twin = server.source.scope === 'plugin' ? findTwin(config, server) : undefined
  if (twin !== undefined)
    return { status: 'overridden', why: `${whereIs(twin)} has the same endpoint and is stronger` }
  const isOff = server.source.host === 'claude-code' && config.claudeProject.disabled.includes(server.name)
  if (isOff || server.isDisabled === true) return { status: 'disabled', why: 'it is switched off' }
  const decision = decidePolicy(config, server, expanded)
  return decision.isAllowed ? { status: 'active', why: '' } : { status: 'denied', why: decision.why }
}

/**
 * What the managed lists say of an entry as it would be used. They hold for every host, not for Claude Code
 * alone.
 */
export function decidePolicy(
  config: HostConfig,
  { name }: Pick<ServerConfig, 'name'>,
  expanded: ExpandedServer,
): ManagedDecision {
  const { url, command, args = [] } = expanded
  const urlOf = (other: string): string | undefined => {
    const own = config.servers.find(({ source, name: its }) => source.host === 'warder' && its === other)
    return own === undefined ? undefined : expandServer(own, config).url
  }
  if (url !== undefined) return decideManaged(config.policy, { name, url })
  if (command !== undefined) return decideManaged(config.policy, { name, argv: [command, ...args] }, urlOf)
  return { isAllowed: true }
}

function findTwin(config: HostConfig, server: ServerConfig): ServerConfig | undefined {
  const endpoint = endpointOf(server)
  return config.servers.find(
    (other) =>
      other.source.host === 'claude-code' &&
      rank(other) < rank(server) &&
      other.broken === undefined &&
      keptOut(config, other) === undefined &&
      endpointOf(other) === endpoint,
  )
}

function endpointOf({ url, command, args = [] }: ServerConfig): string {
  return JSON.stringify(url ?? [command, ...args])
}

/** What an entry that is Warder’s own bridge may lead to, names and URLs; undefined for another entry. */
export function bridgeTargets({
  transport,
  command,
  args = [],
}: ServerConfig): readonly string[] | undefined {
  return transport === 'stdio' && command !== undefined ? readBridge([command, ...args]) : undefined
}

/** `the user scope of Claude Code (FILE:LINE)`. */
export function whereIs({ source: { host, scope, file, line } }: ServerConfig): string {
  return `the ${scope} scope of ${dialects[host].title} (${file}:${line})`
}
