import { isJsonObject, Refusal, readResource } from '@warder/protocol'
import { type Dispatcher, Pool } from 'undici'
import { readBounded } from './read-bounded.ts'
import type { Upstream, UpstreamAnswer, UpstreamCall } from './upstream.ts'
import { type AssertionSigner, makeAssertion } from './upstream-credentials.ts'
import { makeUpstreamHeaders, readAnswerHeaders, readMediaType, refusalOfStatus } from './upstream-headers.ts'
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

  async function credentials(call: UpstreamCall): Promise<Record<string, string>> {
    if (options.assertion === undefined) return {}
    const facts = { principal: call.principal, server: call.server, audience: options.url }
    return { 'warder-assertion': await makeAssertion(options.assertion, facts, now()) }
  }

  return {
    takesResponses: true,
    async send(call) {
      const session = openSession(sessions, call)
      const headers = {
        ...makeUpstreamHeaders(call.headers, call.post !== undefined),
        ...session.headers,
        ...(await credentials(call)),
      }
      const response = await request(pool, {
        path: url.pathname + url.search,
        method: call.httpMethod,
        headers,
        body: call.post?.bytes ?? null,
        signal: call.signal,
      })
      const answer = await readAnswer(response, session.upstreamId !== undefined, call)
      return { ...answer, headers: { ...answer.headers, ...session.answerHeaders(response.headers) } }
    },
    close: () => pool.destroy(),
  }
}

async function request(pool: Pool, options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
  try {
    return await pool.request(options)
  } catch (cause) {
    if (options.signal instanceof AbortSignal && options.signal.aborted) throw cause
    // Never tried again: a tool may have run although no answer came (O14).
    throw new Refusal('upstream.unreachable', { detail: codeOf(cause), cause })
  }
}

interface Session {
  readonly upstreamId: string | undefined
  readonly headers: Record<string, string>
  answerHeaders(headers: Dispatcher.ResponseData['headers']): Record<string, string>
}

/** Session ids exist up to revision 2025-11-25; later requests carry none and get none (N14). */
function openSession(sessions: UpstreamSessions, call: UpstreamCall): Session {
  const none: Session = { upstreamId: undefined, headers: {}, answerHeaders: () => ({}) }
  if (call.stateless) return none
  const sealed = call.headers.get('mcp-session-id')?.[0]
  const upstreamId = sealed === undefined ? undefined : sessions.open(sealed, call)
  const lastEventId = call.headers.get('last-event-id')?.[0]
  return {
    upstreamId,
    headers: {
      ...(upstreamId === undefined ? {} : { 'mcp-session-id': upstreamId }),
      ...(lastEventId === undefined || upstreamId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    answerHeaders(headers) {
      const minted = headers['mcp-session-id']
      if (minted === undefined) return {}
      if (typeof minted !== 'string') throw new Refusal('upstream.answer', { detail: 'several session ids' })
      // Sealing is not deterministic, and a client may compare: its own id comes back as it was sent.
      const known = sealed !== undefined && minted === upstreamId
      return { 'mcp-session-id': known ? sealed : sessions.seal(minted, call) }
    },
  }
}

async function readAnswer(
  response: Dispatcher.ResponseData,
  hasSession: boolean,
  { signal, httpMethod }: Pick<UpstreamCall, 'signal' | 'httpMethod'>,
): Promise<UpstreamAnswer> {
  const { statusCode: status, body } = response
  const headers = readAnswerHeaders(response.headers)
  const type = readMediaType(headers['content-type'])
  const discard = (): void => void body.on('error', () => undefined).destroy()
  const refusal = refusalOfStatus(status, response.headers, hasSession)
  if (refusal !== undefined) {
    discard()
    throw refusal
  }
  const coding = response.headers['content-encoding']
  if (coding !== undefined && coding !== 'identity') {
    discard()
    throw new Refusal('upstream.answer', { detail: 'content coding' })
  }
  if (status >= 400) return readError(status, headers, await readBounded(body, maxError, signal))
  // Servers of the SDK's version 1 end a session with 200, chunked, empty and of no type: nobody reads the answer to a DELETE.
  const empty = status === 202 || status === 204 || response.headers['content-length'] === '0'
  if (empty || httpMethod === 'DELETE') {
    // Read to its end, not broken off: the connection serves the next call.
    await body.dump({ limit: maxError, signal })
    return { status, headers: withoutType(headers), body: undefined }
  }
  if (type === 'other') {
    discard()
    throw new Refusal('upstream.answer', { detail: 'content type' })
  }
  const length = Number(response.headers['content-length'])
  return {
    status,
    headers,
    body: type === 'json' && length <= maxWhole ? await readWhole(body, signal) : body,
  }
}

async function readWhole(body: Dispatcher.ResponseData['body'], signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await body.bytes()
  } catch (cause) {
    if (signal.aborted) throw cause
    throw new Refusal('upstream.unreachable', { detail: codeOf(cause), cause })
  }
}

/** Only a JSON-RPC error goes through: pages and stack traces tell about the inside (O15). */
function readError(status: number, headers: Record<string, string>, body: Uint8Array): UpstreamAnswer {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
    // JSON it is, whatever the upstream calls it: nothing goes out from our origin as a page.
    if (isJsonObject(value) && isJsonObject(value['error']))
      return { status, headers: { ...headers, 'content-type': 'application/json' }, body }
  } catch {
    // Not JSON: the same answer as JSON of another shape.
  }
  throw new Refusal('upstream.answer', { detail: `status ${status} without a JSON-RPC error` })
}

function withoutType(headers: Record<string, string>): Record<string, string> {
  const { 'content-type': _, ...others } = headers
  return others
}

function codeOf(cause: unknown): string {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  return typeof code === 'string' ? code : 'no code'
}
