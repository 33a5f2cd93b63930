import { type Asked, filterAnswer as filterBody, isFiltered } from '@warder/guard'
import { knownMethods } from '@warder/protocol'
import type { ListCursors, ListReader } from './list-cursors.ts'
import { readBounded } from './read-bounded.ts'
import type { Incoming } from './read-call.ts'
import type { UpstreamAnswer } from './upstream.ts'
import { readMediaType } from './upstream-headers.ts'

/** Bytes of a filtered answer that is held before its first byte goes out. */
const maxHeld = 10 * 1024 * 1024

/**
 * An upstream's answer as this caller may see it. Lists and other JSON that must be filtered are read whole first, so that
 * one that cannot be filtered becomes a refusal and not half an answer; streams are filtered event by event; everything else
 * passes as it is, unbuffered. Throws Refusal `upstream.answer`.
 */
export function filterAnswer(
  reader: ListReader,
  cursors: ListCursors,
  incoming: Incoming,
  answer: UpstreamAnswer,
  signal: AbortSignal,
): UpstreamAnswer | Promise<UpstreamAnswer> {
  const asked = whatWasAsked(incoming)
  if (answer.body === undefined || !isFiltered(asked)) return answer
  const { status, headers, body } = answer
  const filtered = filterBody(
    reader.guard,
    reader.principal,
    asked,
    headers['content-type'],
    iterable(body),
    (method, cursor) => cursors.seal(reader, method, cursor),
  )
  const isList = typeof asked === 'string' && knownMethods.get(asked)?.lists !== undefined
  if (!isList && readMediaType(headers['content-type']) === 'events')
    return { status, headers, body: filtered }
  return readBounded(filtered, maxHeld, signal).then((whole) => ({ status, headers, body: whole }))
}

function whatWasAsked({ calls, post }: Incoming): Asked {
  const [first] = calls
  if (post?.isBatch !== true) return first.method
  const requests = calls.flatMap(({ message }) => (message?.kind === 'request' ? [message] : []))
  return new Map(requests.map(({ id, method }) => [JSON.stringify(id), method]))
}

async function* iterable(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else yield* body
}
