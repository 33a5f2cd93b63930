import { Refusal } from '@warder/protocol'

/** One event of a stream, as a client would dispatch it. */
export interface ServerSentEvent {
  /** Absent: `message`. */
  readonly event?: string
  readonly id?: string
  /** Milliseconds. */
  readonly retry?: number
  /** Absent where the event has no data line at all, so that no client dispatches it. */
  readonly data?: string
}

/** What a stream holds; of comments only that there was one, since keep-alives have to go on. */
export type StreamPart = ServerSentEvent | 'comment'

/**
 * The events of a `text/event-stream` body (HTML, section 9.2.6), read as clients read them: lines end with CR, LF or both,
 * data lines are joined, an event that the end of the stream cuts off is none. A byte order mark, invalid UTF-8 and an event of
 * more than `limit` characters throw `upstream.answer`.
 */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<StreamPart> {
  let event: OpenEvent = {}
  for await (const line of readLines(body, limit)) {
    if (line === '') {
      const dispatched = closeEvent(event)
      event = {}
      if (dispatched !== undefined) yield dispatched
    } else if (line.startsWith(':')) {
      yield 'comment'
    } else {
      addField(event, line)
      if ((event.length ?? 0) > limit) throw unreadable('an event is too long')
    }
  }
}

/** The event as bytes of a stream; `data` must have no line break. */
export function formatServerSentEvent(part: StreamPart): string {
  if (part === 'comment') return ':\n\n'
  const lines = [
    part.event === undefined ? '' : `event: ${part.event}\n`,
    part.id === undefined ? '' : `id: ${part.id}\n`,
    part.retry === undefined ? '' : `retry: ${part.retry}\n`,
    part.data === undefined ? '' : `data: ${part.data}\n`,
  ]
  return `${lines.join('')}\n`
}

interface OpenEvent {
  event?: string
  id?: string
  retry?: number
  data?: string[]
  length?: number
}

function addField(event: OpenEvent, line: string): void {
  const colon = line.indexOf(':')
  const name = colon === -1 ? line : line.slice(0, colon)
  const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
  event.length = (event.length ?? 0) + line.length
  if (name === 'data') {
    event.data ??= []
    event.data.push(value)
  } else if (name === 'event') event.event = value
  else if (name === 'id' && !value.includes('\0')) event.id = value
  else if (name === 'retry' && /^[0-9]{1,9}$/.test(value)) event.retry = Number(value)
}

function closeEvent({ event, id, retry, data }: OpenEvent): ServerSentEvent | undefined {
  const isEmpty = id === undefined && retry === undefined && data === undefined
  if (isEmpty) return undefined
  return {
    ...(event === undefined || event === '' ? {} : { event }),
    ...(id === undefined ? {} : { id }),
    ...(retry === undefined ? {} : { retry }),
    ...(data === undefined ? {} : { data: data.join('\n') }),
  }
}

/** Complete lines only: what stands behind the last line end was never finished. */
async function* readLines(body: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<string> {
  let rest: string[] = []
  let length = 0
  let endedWithReturn = false
  for await (const text of readText(body)) {
    // The LF of a CR LF that was cut in two belongs to the line that the CR has ended.
    const fresh = endedWithReturn && text.startsWith('\n') ? text.slice(1) : text
    endedWithReturn = text.endsWith('\r')
    // Looked at once: an upstream that sends a long line in small pieces must not cost more than its length.
    const [first = '', ...others] = fresh.split(/\r\n|\n|\r/)
    rest.push(first)
    length += first.length
    if (others.length > 0) {
      yield rest.join('')
      const last = others.pop() ?? ''
      yield* others
      rest = [last]
      length = last.length
    }
    if (length > limit) throw unreadable('a line is too long')
  }
}

async function* readText(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let isFirst = true
  for await (const bytes of body) {
    const text = decode(decoder, bytes)
    if (text === '') continue
    if (isFirst && text.charCodeAt(0) === 0xfeff) throw unreadable('byte order mark')
    isFirst = false
    yield text
  }
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes, { stream: true })
  } catch (cause) {
    throw unreadable('invalid UTF-8', cause)
  }
}

function unreadable(detail: string, cause?: unknown): Refusal {
  return new Refusal('upstream.answer', { detail, cause })
}
