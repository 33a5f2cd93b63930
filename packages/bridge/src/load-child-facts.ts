import { isJsonObject, type JsonObject, type McpEra, SERVER_INFO_META_KEY } from '@warder/protocol'
import type { ChildFacts } from './child-facts.ts'
import type { ChildPeer, Outcome } from './child-peer.ts'
import { makeChildParams } from './eras.ts'
import { knownSessionVersions, newestSessionVersion, ourself, statelessVersion } from './revisions.ts'

/**
 * Makes a child's acquaintance: `initialize` first, since every server but the newest answers it, then `server/discover`.
 * No client capability is declared, so that the child has no reason to ask anything back. Throws an Error in words.
 */
export async function loadChildFacts(peer: ChildPeer): Promise<ChildFacts> {
  const greeting = { protocolVersion: newestSessionVersion, capabilities: {}, clientInfo: ourself }
  const initialized = await peer.request('initialize', () => greeting)
  if (initialized.kind === 'result') {
    const facts = readInitialization(initialized.result)
    peer.notify('notifications/initialized')
    return facts
  }
  const discovered = await peer.request('server/discover', () => makeChildParams({}, 'stateless', undefined))
  if (discovered.kind === 'result') return readDiscovery(discovered.result)
  throw new Error(`does not speak MCP: ${errorWords(initialized)}`)
}

function readInitialization(result: JsonObject): ChildFacts {
  const version = result['protocolVersion']
  if (typeof version !== 'string' || !knownSessionVersions.includes(version)) {
    throw new Error('speaks a revision of MCP that is not known here')
  }
  return makeFacts('session', result, result['serverInfo'])
}

function readDiscovery(result: JsonObject): ChildFacts {
  const versions = result['supportedVersions']
  if (!Array.isArray(versions) || !versions.includes(statelessVersion)) {
    throw new Error('speaks a revision of MCP that is not known here')
  }
  const meta = result['_meta']
  return makeFacts('stateless', result, isJsonObject(meta) ? meta[SERVER_INFO_META_KEY] : undefined)
}

function makeFacts(era: McpEra, result: JsonObject, info: unknown): ChildFacts {
  const { capabilities, instructions } = result
  return {
    era,
    capabilities: isJsonObject(capabilities) ? capabilities : {},
    serverInfo: readServerInfo(info),
    ...(typeof instructions === 'string' ? { instructions } : {}),
  }
}

function readServerInfo(info: unknown): ChildFacts['serverInfo'] {
  const given = isJsonObject(info) ? info : {}
  const { name, version, title } = given
  return {
    name: typeof name === 'string' ? name : 'unknown',
    version: typeof version === 'string' ? version : 'unknown',
    ...(typeof title === 'string' ? { title } : {}),
  }
}

const errorWords = (outcome: Outcome): string =>
  outcome.kind === 'error' ? outcome.error.message : outcome.kind
