import { filterAnswer as filterBody, type Guard, isFiltered } from '@warder/guard'
import type { Principal } from '@warder/policy'
import { knownMethods } from '@warder/protocol'
import { readBounded } from './read-bounded.ts'
import type { UpstreamAnswer } from './upstream.ts'
import { readMediaType } from './upstream-headers.ts'

/** Bytes of a filtered answer that is held before its first byte goes out. */
const maxHeld = 10 * 1024 * 1024

/**
 * An upstream's answer as this caller may see it. Lists and other JSON that must be filtered are read whole first, so that
 * one that cannot be filtered becomes a refusal and not half an answer; streams are filtered event by event; everything else
 * passes as it is, unbuffered. Throws Refusal `upstream.answer`.
 */
export async function filterAnswer(
  guard: Guard,
  principal: Principal,
  method: string,
  answer: UpstreamAnswer,
  signal: AbortSignal,
): Promise<UpstreamAnswer> {
  const { status, headers, body } = answer
  if (body === undefined || !isFiltered(method)) return answer
  const filtered = filterBody(guard, principal, method, headers['content-type'], iterable(body))
  const isList = knownMethods.get(method)?.lists !== undefined
  if (!isList && readMediaType(headers['content-type']) === 'events')
    return { status, headers, body: filtered }
  return { status, headers, body: await readBounded(filtered, maxHeld, signal) }
}

async function* iterable(body: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else yield* body
}
