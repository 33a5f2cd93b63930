import { isJsonObject, type JsonObject, type McpEra, SERVER_INFO_META_KEY } from '@warder/protocol'
import { knownSessionVersions, newestSessionVersion, ourself, statelessVersion } from '../revisions.ts'
import type { ServerFacts } from './server.ts'

/** Capabilities that mean the same in both eras; others are told only where host and server are of one era. */
const shared: readonly string[] = ['tools', 'prompts', 'resources', 'completions', 'logging']

/** What a host is told before the server has been met: everything that may come. */
export function guessFacts(era: McpEra, place: string): ServerFacts {
  return {
    era,
    capabilities: {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: true, subscribe: true },
      completions: {},
      logging: {},
    },
    serverInfo: ourself,
    instructions: `Warder connects to ${place}. If it lists no tools, somebody has to sign in first: a browser window asks for it, or the command "warder login" does. The tools appear by themselves afterwards.`,
  }
}

/** The answer to `initialize`. A revision that is not known is answered with the newest one that is. */
export function makeInitialization(facts: ServerFacts, asked: unknown): JsonObject {
  const known = typeof asked === 'string' && knownSessionVersions.includes(asked)
  return {
    protocolVersion: known ? asked : newestSessionVersion,
    capabilities: tellCapabilities(facts, 'session'),
    serverInfo: facts.serverInfo,
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
  }
}

/** The answer to `server/discover`; never kept, since it may change with a sign-in. */
export function makeDiscovery(facts: ServerFacts): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [statelessVersion],
    capabilities: tellCapabilities(facts, 'stateless'),
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [SERVER_INFO_META_KEY]: facts.serverInfo },
  }
}

/** Lists can always change here: with a sign-in, and with a new session. */
function tellCapabilities({ era, capabilities }: ServerFacts, host: McpEra): JsonObject {
  const told = Object.entries(capabilities).filter(([name]) => era === host || shared.includes(name))
  return Object.fromEntries(
    told.map(([name, value]) =>
      isJsonObject(value) && name in changes ? [name, { ...value, listChanged: true }] : [name, value],
    ),
  )
}

/** What is said when a list has changed. */
export const changes: Readonly<Record<string, string>> = {
  tools: 'notifications/tools/list_changed',
  prompts: 'notifications/prompts/list_changed',
  resources: 'notifications/resources/list_changed',
}
