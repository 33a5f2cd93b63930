import type { Principal } from '@warder/policy'
import { toRefusal } from '@warder/protocol'
import { filterAnswer, isOpenStream } from '../filter-answer.ts'
import type { Guard } from '../guard.ts'
import { type OpenChunks, openChunks } from '../read-chunks.ts'
import type { RefusalContext } from '../refuse.ts'
import { formatServerSentEvent } from '../server-sent-events.ts'

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
 * The response of the protected handler as the principal may see it. What cannot be read is refused with 502 while nothing was
 * sent; later the stream ends with a JSON-RPC error.
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
  const source = openChunks(response.body)
  const filtered = filterAnswer(guard, principal, method, contentType, source.chunks)
  // The status line promises a good answer, so it waits until there is one; but the head of an open stream does not wait.
  const isOpen = isOpenStream(method) && contentType?.startsWith('text/event-stream') === true
  const first = isOpen ? undefined : await filtered.next()
  const headers = new Headers(response.headers)
  for (const name of aboutBytes) headers.delete(name)
  headers.set('cache-control', 'no-store')
  return new Response(
    streamOf(first, filtered, source, (error) => guard.refuse(toRefusal(error), context).body),
    { status: response.status, headers },
  )
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
