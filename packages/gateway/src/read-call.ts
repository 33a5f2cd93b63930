import type { IncomingMessage } from 'node:http'
import type { Call } from '@warder/policy'
import {
  checkMirroredHeaders,
  checkProtocolVersion,
  isStatelessVersion,
  type McpMessage,
  Refusal,
  readCall,
  readMcpMessage,
  readSubscribedResources,
} from '@warder/protocol'
import { checkNoBody, readBody } from './read-body.ts'
import { type Head, only } from './read-head.ts'

/** What a request wants, read once. */
export interface IncomingCall {
  /** Each must be allowed; more than one only where a subscription names resources. */
  readonly calls: readonly [Call, ...Call[]]
  /** The method of the message, or the HTTP method where there is no message. */
  readonly method: string
  /** Whether the request is of revision 2026-07-28 or later. */
  readonly stateless: boolean
}

/** The message of a POST, from its exact bytes; GET and DELETE have none. */
export async function readMessage(req: IncomingMessage, head: Head): Promise<McpMessage | undefined> {
  if (head.method === 'POST') return readMcpMessage(await readBody(req, head))
  checkNoBody(head)
  return undefined
}

/**
 * What the message wants, from its body; headers that repeat parts of it must agree (L01, L02, L03). Methods outside the
 * allow-list are refused (M10). `takesResponses`: whether the upstream may get JSON-RPC responses at all.
 */
export function readIncomingCall(
  message: McpMessage | undefined,
  head: Head,
  takesResponses: boolean,
): IncomingCall {
  return message === undefined ? readWithoutBody(head) : readWithBody(message, head, takesResponses)
}

function readWithBody(message: McpMessage, head: Head, takesResponses: boolean): IncomingCall {
  checkMirroredHeaders(message, mirrored(head))
  const stateless = isStatelessVersion(message.version ?? only(head, 'mcp-protocol-version') ?? '')
  if (message.kind === 'response') {
    // An answer to the server's own request; only the owner of a session can have got that request (M13, OT-07).
    if (stateless || !takesResponses) throw new Refusal('message.shape', { detail: 'a response' })
    if (only(head, 'mcp-session-id') === undefined) throw new Refusal('session.missing')
  }
  const call = readCall(message)
  const resources = readSubscribedResources(message).map((uri): Call => ({ kind: 'resource', uri }))
  return { calls: [call, ...resources], method: message.method ?? 'response', stateless }
}

/** GET opens a stream and DELETE ends a session, both only up to revision 2025-11-25 (GW-11). */
function readWithoutBody(head: Head): IncomingCall {
  const versions = head.headers.get('mcp-protocol-version') ?? []
  if (versions.length > 1) throw new Refusal('message.header-mismatch', { detail: 'version sent twice' })
  const [version] = versions
  if (version !== undefined) checkProtocolVersion(version)
  if (version !== undefined && isStatelessVersion(version)) throw new Refusal('http.method')
  if (head.method === 'DELETE' && only(head, 'mcp-session-id') === undefined) {
    throw new Refusal('session.missing')
  }
  return { calls: [{ kind: 'session', method: head.method }], method: head.method, stateless: false }
}

const parameterPrefix = 'mcp-param-'

function mirrored(head: Head): Parameters<typeof checkMirroredHeaders>[1] {
  const params = new Map<string, readonly string[]>()
  for (const [name, values] of head.headers) {
    if (name.startsWith(parameterPrefix)) params.set(name.slice(parameterPrefix.length), values)
  }
  return {
    version: head.headers.get('mcp-protocol-version') ?? [],
    method: head.headers.get('mcp-method') ?? [],
    name: head.headers.get('mcp-name') ?? [],
    params,
  }
}
