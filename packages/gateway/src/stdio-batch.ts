import { formatMessageEvent, jsonRpcError, type McpMessage, Refusal, toRefusal } from '@warder/protocol'
import type { UpstreamAnswer } from './upstream.ts'

type Body = UpstreamAnswer['body']

/**
 * Sends the messages of a batch one by one, in their order and without waiting for each other, and puts the answers together: 202
 * where none is wanted, an array where all came as JSON, else one event stream. What is refused for one message is the answer
 * to that message; what is refused for all of them is thrown.
 */
export async function sendBatch(
  messages: readonly McpMessage[],
  handle: (message: McpMessage) => Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
  const settled = await Promise.allSettled(messages.map(handle))
  const [first] = settled
  if (first?.status === 'rejected' && settled.every(({ status }) => status === 'rejected')) throw first.reason
  const bodies = settled.flatMap((one, place): Exclude<Body, undefined>[] => {
    const body = one.status === 'fulfilled' ? one.value.body : refusedBody(messages[place], one.reason)
    return body === undefined ? [] : [body]
  })
  if (bodies.length === 0) return { status: 202, headers: {}, body: undefined }
  const whole = bodies.filter((body) => body instanceof Uint8Array)
  return whole.length === bodies.length
    ? { status: 200, headers: { 'content-type': 'application/json' }, body: joinArray(whole) }
    : { status: 200, headers: { 'content-type': 'text/event-stream' }, body: mergeStreams(bodies) }
}

function refusedBody(message: McpMessage | undefined, reason: unknown): Uint8Array | undefined {
  if (message?.kind !== 'request') return undefined
  const { code, says } = toRefusal(reason).rule
  if (code === undefined) throw reason instanceof Error ? reason : new Refusal('internal')
  return encode(JSON.stringify(jsonRpcError(message.id, code, says)))
}

function joinArray(bodies: readonly Uint8Array[]): Uint8Array {
  const decoder = new TextDecoder()
  return encode(`[${bodies.map((body) => decoder.decode(body)).join(',')}]`)
}

/** The bridge hands out whole events, so that chunks of several streams may stand behind each other. */
async function* mergeStreams(bodies: readonly Exclude<Body, undefined>[]): AsyncGenerator<Uint8Array> {
  const sources = bodies.map(eventsOf)
  const next = (place: number): Promise<{ place: number; result: IteratorResult<Uint8Array> }> => {
    const event = sources[place]!.next().then((result) => ({ place, result }))
    // Where another source has failed already, nobody waits for this one any more.
    event.catch(() => undefined)
    return event
  }
  const waiting = new Map(sources.map((_, place) => [place, next(place)]))
  try {
    while (waiting.size > 0) {
      const { place, result } = await Promise.race(waiting.values())
      if (result.done === true) waiting.delete(place)
      else {
        waiting.set(place, next(place))
        yield result.value
      }
    }
  } finally {
    // Not awaited: a source that waits for its child ends when the exchange does.
    for (const place of waiting.keys()) sources[place]!.return(undefined).catch(() => undefined)
  }
}

async function* eventsOf(body: Exclude<Body, undefined>): AsyncGenerator<Uint8Array, undefined> {
  if (body instanceof Uint8Array) yield encode(formatMessageEvent(new TextDecoder().decode(body)))
  else yield* body
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
