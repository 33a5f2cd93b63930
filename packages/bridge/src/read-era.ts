import {
  CLIENT_CAPABILITIES_META_KEY,
  checkProtocolVersion,
  isJsonObject,
  isStatelessVersion,
  type McpEra,
  PROTOCOL_VERSION_META_KEY,
  Refusal,
} from '@warder/protocol'
import type { HostedCall } from './hosted-call.ts'

/**
 * Under which rules a call is answered (MCP versioning, backward compatibility; GW-22, GW-51, GW-80). The body decides, and
 * the header only where the body says nothing. Throws `message.version` and `message.params`. Does not compare header and
 * body: that is done before a call is decided upon.
 */
export function readEra(call: HostedCall): McpEra {
  const named = call.message?.version
  const version = named ?? call.headers.protocolVersion
  if (version === undefined) return 'session'
  checkProtocolVersion(version, named === undefined ? 'header' : 'meta')
  if (!isStatelessVersion(version)) return 'session'
  // GW-06: nothing is said about the envelope of a notification.
  if (call.message?.kind === 'request') checkEnvelope(call.message.params)
  return 'stateless'
}

function checkEnvelope(params: unknown): void {
  const meta = isJsonObject(params) ? params['_meta'] : undefined
  const given = isJsonObject(meta) ? meta : {}
  const whole =
    typeof given[PROTOCOL_VERSION_META_KEY] === 'string' && isJsonObject(given[CLIENT_CAPABILITIES_META_KEY])
  if (!whole) throw new Refusal('message.params', { detail: 'the _meta of the request is not complete' })
}
