import { isJsonObject, Refusal, readResource } from '@warder/protocol'
import { Pool } from 'undici'
import { readBounded } from './read-bounded.ts'
import { sendRequest, type UpstreamResponse } from './send-request.ts'
import type { Upstream, UpstreamAnswer, UpstreamCall } from './upstream.ts'
import { type AssertionSigner, makeAssertion } from './upstream-credentials.ts'
import {
  makeUpstreamHeaders,
  type RawHeaders,
  readAnswerHeaders,
  readMediaType,
  refusalOfStatus,
} from './upstream-headers.ts'
import { createUpstreamSessions, type UpstreamSessions } from './upstream-session.ts'

export interface HttpUpstreamOptions {
  /** The one URL that is ever called; redirects are not followed. */
  readonly url: string
  /** 32 bytes that survive a restart; session ids are sealed under a key derived from them. */
  readonly secret: Uint8Array
  /** Tells the upstream who calls, by `Warder-Assertion`. Absent: it learns nothing. */
  readonly assertion?: AssertionSigner
  /** Milliseconds until the head of an answer must be there; default 60,000. Bodies have no limit of time. */
  readonly headersTimeout?: number
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** Bytes of an error answer that are read; it goes through only as a JSON-RPC error. */
const maxError = 65_536
/** Bytes of a JSON answer of known length that is taken in one piece: it goes out in one write instead of four. */
const maxWhole = 65_536

/**
 * An MCP server reached over streamable HTTP. The exact bytes of the body are sent once, a batch as a batch; JSON and SSE come back
 * unbuffered, but for short JSON of known length. Does not translate between protocol revisions.
 */
export function httpUpstream(options: HttpUpstreamOptions): Upstream {
  const url = new URL(readResource(options.url))
  const sessions = createUpstreamSessions(options.secret)
  const now = options.now ?? Date.now
  const pool = new Pool(url.origin, {
    headersTimeout: options.headersTimeout ?? 60_000,
    bodyTimeout: 0,
    pipelining: 1,
    allowH2: false,
  })
  const path = url.pathname + url.search

  const assertionOf = (signer: AssertionSigner, { principal, server }: UpstreamCall): Promise<string> =>
    makeAssertion(signer, { principal, server, audience: options.url }, now())

  return {
    takesResponses: true,
    async send(call) {
      const headers = makeUpstreamHeaders(call.headers, call.post !== undefined)
      const session = openSession(sessions, call, headers)
      if (options.assertion !== undefined)
        headers['warder-assertion'] = await assertionOf(options.assertion, call)
      const request = { path, method: call.httpMethod, headers, body: call.post?.bytes ?? null }
      const response = await sendRequest(pool, request, { signal: call.signal, takesWhole: isShort, refuse })
      const answer = await readAnswer(response, session.upstreamId !== undefined, call)
      return session.addTo(answer, response.headers)
    },
    close: () => pool.destroy(),
  }
}

/** Never tried again: a tool may have run although no answer came (O14). */
function refuse(cause: Error): Refusal {
  return new Refusal('upstream.unreachable', { detail: codeOf(cause), cause })
}

function isShort(status: number, headers: RawHeaders): boolean {
  const { 'content-type': type, 'content-length': length, 'content-encoding': coding } = headers
  if (status >= 300 || coding !== undefined || length === undefined || typeof type !== 'string') return false
  return Number(length) <= maxWhole && readMediaType(type) === 'json'
}

interface Session {
  readonly upstreamId: string | undefined
  /** The answer with the session that the client knows. */
  addTo(answer: UpstreamAnswer, headers: RawHeaders): UpstreamAnswer
}

const noSession: Session = { upstreamId: undefined, addTo: (answer) => answer }

/** Session ids exist up to revision 2025-11-25; later requests carry none and get none (N14). Adds what goes upstream to `headers`. */
function openSession(
  sessions: UpstreamSessions,
  call: UpstreamCall,
  headers: Record<string, string>,
): Session {
  if (call.stateless) return noSession
  const sealed = call.headers.get('mcp-session-id')?.[0]
  const upstreamId = sealed === undefined ? undefined : sessions.open(sealed, call)
  const lastEventId = call.headers.get('last-event-id')?.[0]
  if (upstreamId !== undefined) {
    headers['mcp-session-id'] = upstreamId
    if (lastEventId !== undefined) headers['last-event-id'] = lastEventId
  }
  return {
    upstreamId,
    addTo(answer, { 'mcp-session-id': minted }) {
      if (minted === undefined) return answer
      if (typeof minted !== 'string') throw new Refusal('upstream.answer', { detail: 'several session ids' })
      // Sealing is not deterministic, and a client may compare: its own id comes back as it was sent.
      const known = sealed !== undefined && minted === upstreamId
      const ours = known ? sealed : sessions.seal(minted, call)
      return { ...answer, headers: { ...answer.headers, 'mcp-session-id': ours } }
    },
  }
}

function readAnswer(
  response: UpstreamResponse,
  hasSession: boolean,
  { signal, httpMethod }: Pick<UpstreamCall, 'signal' | 'httpMethod'>,
): UpstreamAnswer | Promise<UpstreamAnswer> {
  const { status, body } = response
  const headers = readAnswerHeaders(response.headers)
  const refusal = refusalOfStatus(status, response.headers, hasSession) ?? refusalOfCoding(response.headers)
  if (refusal !== undefined) {
    discard(body)
    throw refusal
  }
  if (status >= 400) return readError(status, headers, body, signal)
  // Servers of the SDK's version 1 end a session with 200, chunked, empty and of no type: nobody reads the answer to a DELETE.
  const empty = status === 202 || status === 204 || response.headers['content-length'] === '0'
  if (empty || httpMethod === 'DELETE') return readNothing(status, headers, body)
  if (readMediaType(headers['content-type']) === 'other') {
    discard(body)
    throw new Refusal('upstream.answer', { detail: 'content type' })
  }
  return { status, headers, body }
}

function refusalOfCoding(headers: RawHeaders): Refusal | undefined {
  const coding = headers['content-encoding']
  return coding === undefined || coding === 'identity'
    ? undefined
    : new Refusal('upstream.answer', { detail: 'content coding' })
}

function discard(body: UpstreamResponse['body']): void {
  if (!(body instanceof Uint8Array)) body.destroy()
}

/** The body is read to its end, not broken off, where it is short: then the connection serves the next call. */
async function readNothing(
  status: number,
  headers: Record<string, string>,
  body: UpstreamResponse['body'],
): Promise<UpstreamAnswer> {
  if (!(body instanceof Uint8Array)) {
    let size = 0
    try {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        size += chunk.length
        if (size > maxError) break
      }
    } catch {
      // The head has said it all.
    }
  }
  const { 'content-type': _, ...others } = headers
  return { status, headers: others, body: undefined }
}

/** Only a JSON-RPC error goes through: pages and stack traces tell about the inside (O15). */
async function readError(
  status: number,
  headers: Record<string, string>,
  body: UpstreamResponse['body'],
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const bytes = await readBounded(body, maxError, signal)
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    // JSON it is, whatever the upstream calls it: nothing goes out from our origin as a page.
    if (isJsonObject(value) && isJsonObject(value['error']))
      return { status, headers: { ...headers, 'content-type': 'application/json' }, body: bytes }
  } catch {
    // Not JSON: the same answer as JSON of another shape.
  }
  throw new Refusal('upstream.answer', { detail: `status ${status} without a JSON-RPC error` })
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  return typeof code === 'string' ? code : 'no code'
}
