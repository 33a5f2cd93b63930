import { type Reason, Refusal } from '@warder/protocol'

/**
 * Headers of a client that may reach an upstream. Everything else stays here: tokens, cookies, forwarded and internal
 * headers (O01, O02). No option widens the list.
 */
const forwarded: readonly string[] = ['accept', 'mcp-protocol-version', 'mcp-method', 'mcp-name']
const parameterPrefix = 'mcp-param-'
const traceparent = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/

/** The request headers for an upstream, without session and credentials. */
export function makeUpstreamHeaders(
  headers: ReadonlyMap<string, readonly string[]>,
  hasBody: boolean,
): Record<string, string> {
  // One coding, ours: the list filter reads what the client will read.
  const result: Record<string, string> = { 'accept-encoding': 'identity' }
  if (hasBody) result['content-type'] = 'application/json'
  for (const name of forwarded) {
    const values = headers.get(name)
    if (values !== undefined) result[name] = values.join(', ')
  }
  for (const [name, values] of headers) {
    if (name.startsWith(parameterPrefix)) result[name] = values.join(', ')
  }
  const trace = readTraceparent(headers)
  if (trace !== undefined) result['traceparent'] = trace
  return result
}

/** A well-formed `traceparent`, for correlation only; anything else counts as absent. */
export function readTraceparent(headers: ReadonlyMap<string, readonly string[]>): string | undefined {
  const values = headers.get('traceparent')
  return values?.length === 1 && traceparent.test(values[0]!) ? values[0] : undefined
}

/**
 * Headers of an upstream's answer that may reach a client; cookies, challenges, locations and CORS never do (N17), nor what it
 * says about caches: it does not know that callers see different things (N05).
 */
const returned: readonly string[] = ['content-type', 'x-accel-buffering', 'retry-after']

export type RawHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/** The allowed headers of an answer, without the session; a repeated one is dropped. */
export function readAnswerHeaders(headers: RawHeaders): Record<string, string> {
  const result: Record<string, string> = {}
  for (const name of returned) {
    const value = headers[name]
    if (typeof value === 'string') result[name] = value
  }
  return result
}

/** `json`, `events`, or what else the content type says. */
export function readMediaType(contentType: string | undefined): 'json' | 'events' | 'other' {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/json') return 'json'
  return type === 'text/event-stream' ? 'events' : 'other'
}

/** What the statuses of an upstream mean for the client; undefined where its own JSON-RPC error may go through. */
export function refusalOfStatus(
  status: number,
  headers: RawHeaders,
  hasSession: boolean,
): Refusal | undefined {
  const detail = `status ${status}`
  const refuse = (reason: Reason): Refusal => new Refusal(reason, { detail })
  // Passed on, a 401 would send the client to sign in at somebody else's authorization server with our name (N18).
  if (status === 401 || status === 403 || status === 407) return refuse('upstream.unauthorized')
  if (status === 404 && hasSession) return refuse('session.unknown')
  if (status === 405) return refuse('http.method')
  if (status === 429 || status === 503) {
    const after = headers['retry-after']
    const retryAfter = typeof after === 'string' && /^\d{1,5}$/.test(after) ? Number(after) : 5
    return new Refusal('upstream.busy', { detail, retryAfter })
  }
  return status < 200 || status >= 500 || (status >= 300 && status < 400)
    ? refuse('upstream.answer')
    : undefined
}
