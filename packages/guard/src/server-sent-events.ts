import { Refusal } from '@warder/protocol'
import { readLines } from './read-lines.ts'

/** What stands between two empty lines of a stream, as a client reads it; it may say nothing at all. */
export interface ServerSentEvent {
  /** Absent: `message`. */
  readonly event?: string | undefined
  readonly id?: string | undefined
  /** Milliseconds. */
  readonly retry?: number | undefined
  /** Absent where the event has no data line at all, so that no client dispatches it. */
  readonly data?: string | undefined
}

/** What a stream holds; of comments only that there was one, since keep-alives have to go on. */
export type StreamPart = ServerSentEvent | 'comment'

const colon = 0x3a
const space = 0x20

/**
 * The events of a `text/event-stream` body (HTML, section 9.2.6), read as clients read them: lines end with CR, LF or both,
 * data lines are joined, an event that the end of the stream cuts off is none. A byte order mark, invalid UTF-8 and an event of
 * more than `limit` bytes throw `upstream.answer`.
 */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<StreamPart> {
  let event: OpenEvent = {}
  let isFirst = true
  for await (const line of readLines(body, limit, () => unreadable('a line is too long'))) {
    if (isFirst && startsWithMark(line)) throw unreadable('byte order mark')
    isFirst = false
    if (line.byteLength === 0) {
      yield closeEvent(event)
      event = {}
    } else if (line[0] === colon) {
      decode(line)
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

function addField(event: OpenEvent, line: Uint8Array): void {
  const end = line.indexOf(colon)
  const name = decode(end === -1 ? line : line.subarray(0, end))
  // Decoded apart from its name: a text that is a part of another one takes longer to scan.
  const value = end === -1 ? '' : decode(line.subarray(line[end + 1] === space ? end + 2 : end + 1))
  event.length = (event.length ?? 0) + line.byteLength
  if (name === 'data') {
    event.data ??= []
    event.data.push(value)
  } else if (name === 'event') event.event = value
  else if (name === 'id' && !value.includes('\0')) event.id = value
  else if (name === 'retry' && /^[0-9]{1,9}$/.test(value)) event.retry = Number(value)
}

function closeEvent({ event, id, retry, data }: OpenEvent): ServerSentEvent {
  return { event: event === '' ? undefined : event, id, retry, data: data?.join('\n') }
}

function startsWithMark(line: Uint8Array): boolean {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whole lines: without `stream` decoding is several times as fast, and nothing stays behind for the next one. */
function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw unreadable('invalid UTF-8', cause)
  }
}

function unreadable(detail: string, cause?: unknown): Refusal {
  return new Refusal('upstream.answer', { detail, cause })
}
