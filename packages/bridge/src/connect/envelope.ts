import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  isJsonObject,
  type JsonObject,
  LOG_LEVEL_META_KEY,
  ownValue,
  PROTOCOL_VERSION_META_KEY,
} from '@warder/protocol'
import { statelessVersion } from '../revisions.ts'
import type { HostFacts } from './server.ts'

const envelopeKeys: readonly string[] = [
  PROTOCOL_VERSION_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
]

/** What each request of 2026-07-28 says about who sends it (GW-50). */
export function makeEnvelope(host: HostFacts, logLevel?: string): JsonObject {
  return {
    [PROTOCOL_VERSION_META_KEY]: statelessVersion,
    [CLIENT_CAPABILITIES_META_KEY]: host.capabilities,
    [CLIENT_INFO_META_KEY]: host.clientInfo,
    ...(logLevel === undefined ? {} : { [LOG_LEVEL_META_KEY]: logLevel }),
  }
}

/** Params of a host with sessions, for a server without: all of theirs, and the envelope. */
export function addEnvelope(params: JsonObject | undefined, envelope: JsonObject): JsonObject {
  const meta = ownValue(params ?? {}, '_meta')
  return { ...params, _meta: { ...(isJsonObject(meta) ? meta : {}), ...envelope } }
}

/** The same the other way round. */
export function removeEnvelope(params: JsonObject | undefined): JsonObject | undefined {
  const meta = ownValue(params ?? {}, '_meta')
  if (params === undefined || !isJsonObject(meta)) return params
  const kept = Object.entries(meta).filter(([key]) => !envelopeKeys.includes(key))
  const { _meta, ...rest } = params
  return kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) }
}

/** What a request of 2026-07-28 says about its host. */
export function readEnvelope(params: JsonObject | undefined): {
  readonly host: HostFacts
  readonly logLevel?: string
} {
  const meta = ownValue(params ?? {}, '_meta')
  const given = isJsonObject(meta) ? meta : {}
  const capabilities = given[CLIENT_CAPABILITIES_META_KEY]
  const clientInfo = given[CLIENT_INFO_META_KEY]
  const logLevel = given[LOG_LEVEL_META_KEY]
  return {
    host: {
      version: statelessVersion,
      capabilities: isJsonObject(capabilities) ? capabilities : {},
      clientInfo: isJsonObject(clientInfo) ? clientInfo : unknownHost,
    },
    ...(typeof logLevel === 'string' ? { logLevel } : {}),
  }
}

/** For hosts that do not say who they are. */
export const unknownHost: JsonObject = { name: 'unknown', version: 'unknown' }
