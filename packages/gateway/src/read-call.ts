import type { Call } from '@warder/policy'
import {
  batchVersion,
  checkMirroredHeaders,
  checkProtocolVersion,
  isStatelessVersion,
  type McpMessage,
  type McpPost,
  type MirroredHeaders,
  Refusal,
  readCall,
  readMcpPost,
  readSubscribedResources,
} from '@warder/protocol'
import { type Head, only } from './read-head.ts'

/** One message, or a request without one, and what it wants. */
export interface IncomingCall {
  readonly message: McpMessage | undefined
  readonly call: Call
  /** Resources that a subscription names; each is decided for itself, and those that are not open are left out. */
  readonly subscribed: readonly string[]
  /** The method of the message, or the HTTP method where there is no message. */
  readonly method: string
}

/** What a request wants, read once. */
export interface Incoming {
  /** Several only in a batch of revision 2025-03-26. */
  readonly calls: readonly [IncomingCall, ...IncomingCall[]]
  /** The body of a POST. */
  readonly post: McpPost | undefined
  /** Whether the request is of revision 2026-07-28 or later. */
  readonly stateless: boolean
}

/**
 * The messages of a POST, from its exact bytes. A batch is read where the revision has them: under 2025-03-26, and without a
 * header, since clients of that revision send none (OT-10).
 */
export function readPost(body: Uint8Array, head: Head): McpPost {
  return readMcpPost(body, takesBatches(head))
}

function takesBatches(head: Head): boolean {
  const [version, ...others] = head.headers.get('mcp-protocol-version') ?? []
  return others.length === 0 && (version === undefined || version === batchVersion)
}

/**
 * What the messages want, from the body; headers that repeat parts of it must agree (L01, L02, L03). Methods outside the
 * allow-list are refused (M10). `takesResponses`: whether the upstream may get JSON-RPC responses at all.
 */
export function readIncoming(post: McpPost | undefined, head: Head, takesResponses: boolean): Incoming {
  if (post === undefined) return { calls: [readWithoutBody(head)], post, stateless: false }
  const headers = post.isBatch ? batchHeaders(head) : mirrored(head)
  const read = (message: McpMessage): IncomingCall => readWithBody(message, headers, head, takesResponses)
  const [first, ...others] = post.messages
  const version = first.version ?? only(head, 'mcp-protocol-version') ?? ''
  return { calls: [read(first), ...others.map(read)], post, stateless: isStatelessVersion(version) }
}

/** No header says which message of several it means, and each of them is of the one revision that has batches. */
function batchHeaders(head: Head): MirroredHeaders {
  const { method, name, params } = mirrored(head)
  if (method.length > 0 || name.length > 0 || params.size > 0) {
    throw new Refusal('message.header-mismatch', { detail: 'of a batch' })
  }
  return { version: [batchVersion], params }
}

function readWithBody(
  message: McpMessage,
  headers: MirroredHeaders,
  head: Head,
  takesResponses: boolean,
): IncomingCall {
  checkMirroredHeaders(message, headers)
  if (message.kind === 'response') {
    // An answer to the server's own request; only the owner of a session can have got that request (M13, OT-07).
    // Under 2026-07-28 the headers have refused it already.
    if (!takesResponses) throw new Refusal('message.shape', { detail: 'a response' })
    if (only(head, 'mcp-session-id') === undefined) throw new Refusal('session.missing')
  }
  return {
    message,
    call: readCall(message),
    subscribed: [...new Set(readSubscribedResources(message))],
    method: message.method ?? 'response',
  }
}

/** GET opens a stream and DELETE ends a session, both only up to revision 2025-11-25 (GW-11). */
function readWithoutBody(head: Head): IncomingCall {
  const versions = head.headers.get('mcp-protocol-version') ?? []
  if (versions.length > 1) throw new Refusal('message.header-mismatch', { detail: 'version sent twice' })
  const [version] = versions
  if (version !== undefined) {
    checkProtocolVersion(version, 'header')
    if (isStatelessVersion(version)) throw new Refusal('http.method')
  }
  if (head.method === 'DELETE' && only(head, 'mcp-session-id') === undefined) {
    throw new Refusal('session.missing')
  }
  const { method } = head
  return { message: undefined, call: { kind: 'session', method }, subscribed: [], method }
}

const parameterPrefix = 'mcp-param-'
const none: readonly string[] = []
const noParams: ReadonlyMap<string, readonly string[]> = new Map()

function mirrored(head: Head): Required<MirroredHeaders> {
  let params: Map<string, readonly string[]> | undefined
  for (const [name, values] of head.headers) {
    if (!name.startsWith(parameterPrefix)) continue
    params ??= new Map()
    params.set(name.slice(parameterPrefix.length), values)
  }
  return {
    version: head.headers.get('mcp-protocol-version') ?? none,
    method: head.headers.get('mcp-method') ?? none,
    name: head.headers.get('mcp-name') ?? none,
    params: params ?? noParams,
  }
}
