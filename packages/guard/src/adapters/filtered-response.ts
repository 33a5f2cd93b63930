import type { Principal } from '@warder/policy'
import { toRefusal } from '@warder/protocol'
import { filterAnswer, isOpenStream } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import { type OpenChunks, openChunks } from '../read-chunks.ts'
import type { RefusalContext } from '../refuse.ts'
import { formatServerSentEvent } from '../server-sent-events.ts'
import { toResponse } from './plain-answer.ts'
import { refuseStatus } from './refuse-status.ts'

/** Headers that speak about bytes which the filter may have changed. */
export const aboutBytes: readonly string[] = [
  'content-length',
  'content-encoding',
  'content-digest',
  'repr-digest',
  'digest',
  'etag',
]

/**
 * The response of the protected handler as the principal may see it. An answer without a body passes. What cannot be read is
 * refused while nothing was sent, as `refuseStatus` says if the handler refused too; later the stream ends with a JSON-RPC error.
 */
export async function filteredResponse(
  guard: Guard,
  principal: Principal,
  method: string,
  response: Response,
  context: RefusalContext,
): Promise<Response> {
  if (response.body === null) return response
  const contentType = response.headers.get('content-type') ?? undefined
  const { status } = response
  const source = openChunks(response.body)
  const headers = new Headers(response.headers)
  for (const name of aboutBytes) headers.delete(name)
  headers.set('cache-control', 'no-store')
  // The status line promises a good answer, so it waits until there is one; but the head of an open stream does not wait.
  const isOpen = isOpenStream(method) && contentType?.startsWith('text/event-stream') === true
  const begun = isOpen ? undefined : await readSome(source.chunks)
  if (begun?.done === true) return new Response(null, { status, headers })
  const filtered = filterAnswer(guard, principal, method, contentType, continued(begun?.value, source.chunks))
  try {
    const first = isOpen ? undefined : await filtered.next()
    const writeError = (error: unknown): string => guard.refuse(toRefusal(error), context).body
    return new Response(streamOf(first, filtered, source, writeError), { status, headers })
  } catch (error) {
    await source.cancel()
    if (status < 400) throw error
    const head = { status, allow: headers.get('allow'), retryAfter: headers.get('retry-after') }
    return toResponse(refuseStatus(guard, error, head, context))
  }
}

/** The first bytes; a stream may begin with chunks that have none. */
async function readSome(chunks: AsyncGenerator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
  let some = await chunks.next()
  while (some.done !== true && some.value.byteLength === 0) some = await chunks.next()
  return some
}

async function* continued(
  begun: Uint8Array | undefined,
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (begun !== undefined) yield begun
  yield* rest
}

function streamOf(
  first: IteratorResult<Uint8Array> | undefined,
  rest: AsyncGenerator<Uint8Array>,
  source: OpenChunks,
  writeError: (error: unknown) => string,
): ReadableStream<Uint8Array> {
  let next = first
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const step = next ?? (await rest.next())
        next = undefined
        if (step.done) controller.close()
        else controller.enqueue(step.value)
      } catch (error) {
        // Only an event stream gets here: a JSON answer comes out in one piece.
        controller.enqueue(new TextEncoder().encode(formatServerSentEvent({ data: writeError(error) })))
        controller.close()
      }
    },
    cancel: () => source.cancel(),
  })
}
