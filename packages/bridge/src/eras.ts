import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  isJsonObject,
  type JsonObject,
  LOG_LEVEL_META_KEY,
  type McpEra,
  PROTOCOL_VERSION_META_KEY,
  SERVER_INFO_META_KEY,
} from '@warder/protocol'
import type { ChildFacts } from './child-facts.ts'
import type { WireError } from './child-peer.ts'
import { ourself, statelessVersion } from './revisions.ts'

/** Requests that a child answers itself, in both eras. */
export const forwardedMethods: ReadonlySet<string> = new Set([
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
])

const cacheableMethods: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
])

const envelopeKeys: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  'progressToken',
])

/** A client's params as its child understands them: the child's own envelope, our progress token, all else untouched. */
export function makeChildParams(
  params: unknown,
  child: McpEra,
  progressToken: number | undefined,
): JsonObject {
  const given = isJsonObject(params) ? params : {}
  const { _meta: givenMeta, ...rest } = given
  const kept = isJsonObject(givenMeta)
    ? Object.entries(givenMeta).filter(([key]) => !envelopeKeys.has(key))
    : []
  const meta = Object.fromEntries([
    ...kept,
    ...(child === 'stateless' ? Object.entries(statelessEnvelope) : []),
    ...(progressToken === undefined ? [] : [['progressToken', progressToken]]),
  ])
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta }
}

const statelessEnvelope: JsonObject = {
  [PROTOCOL_VERSION_META_KEY]: statelessVersion,
  [CLIENT_CAPABILITIES_META_KEY]: {},
  [CLIENT_INFO_META_KEY]: ourself,
}

/**
 * A child's result as the client's revision wants it. A stateless result says that it is complete and who gave it, and a
 * cacheable one is `private`, since one child serves one user (GW-60, GW-66, GW-67).
 */
export function makeClientResult(
  method: string,
  result: JsonObject,
  client: McpEra,
  facts: { readonly serverInfo: JsonObject },
): JsonObject {
  const { resultType: _type, ttlMs, cacheScope: _scope, ...rest } = result
  if (client === 'session') return rest
  const cacheable = cacheableMethods.has(method) ? { ttlMs: readTtl(ttlMs), cacheScope: 'private' } : {}
  const meta = isJsonObject(rest['_meta']) ? rest['_meta'] : {}
  return {
    ...rest,
    resultType: 'complete',
    ...cacheable,
    _meta: { ...meta, [SERVER_INFO_META_KEY]: facts.serverInfo },
  }
}

const readTtl = (ttlMs: unknown): number =>
  Number.isSafeInteger(ttlMs) && Number(ttlMs) >= 0 ? Number(ttlMs) : 0

/** Whether a result asks for something more, which no client could answer: none of it was declared to the child (GW-73). */
export function asksForInput(result: JsonObject): boolean {
  const type = result['resultType']
  return type !== undefined && type !== 'complete'
}

/** A child's error as the client's revision allows it (GW-53, GW-54). */
export function makeClientError(error: WireError, client: McpEra): WireError {
  if (client === 'session') return error
  if (error.code === -32002) return { ...error, code: -32602 }
  const reserved = error.code <= -32020 && error.code >= -32099
  return reserved || error.code === -32042 ? { code: -32603, message: error.message } : error
}

/** What the child offers, as far as it can be had through the bridge. */
function makeClientCapabilities(capabilities: JsonObject, client: McpEra): JsonObject {
  const names = ['tools', 'resources', 'prompts', 'completions', ...(client === 'session' ? ['logging'] : [])]
  return Object.fromEntries(
    names.filter((name) => isJsonObject(capabilities[name])).map((name) => [name, capabilities[name]]),
  )
}

/** The answer to `server/discover`. */
export function makeDiscovery(facts: ChildFacts): JsonObject {
  return {
    resultType: 'complete',
    supportedVersions: [statelessVersion],
    capabilities: makeClientCapabilities(facts.capabilities, 'stateless'),
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [SERVER_INFO_META_KEY]: facts.serverInfo },
  }
}

/** The answer to `initialize`; a version that is not served is answered with the newest one that is. */
export function makeInitialization(facts: ChildFacts, version: string): JsonObject {
  return {
    protocolVersion: version,
    capabilities: makeClientCapabilities(facts.capabilities, 'session'),
    serverInfo: facts.serverInfo,
    ...(facts.instructions === undefined ? {} : { instructions: facts.instructions }),
  }
}
