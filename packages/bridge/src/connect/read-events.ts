/** One event of a `text/event-stream`. */
export interface ServerEvent {
  /** Absent when the event has none. */
  readonly data?: string
  /** The last id that was seen on this stream. */
  readonly id?: string
  /** Milliseconds that the server asks us to wait before we connect again. */
  readonly retry?: number
}

/**
 * The events of a stream (WHATWG HTML, server-sent events), without comments. Throws an Error when one is larger than `maxLength`
 * characters, and a TypeError when the stream is not UTF-8. What stands after the last blank line is no event, and is left out.
 */
export async function* readEvents(
  body: AsyncIterable<Uint8Array>,
  maxLength: number,
): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let size = 0
  let data: string[] = []
  let id: string | undefined
  let retry: number | undefined

  const readField = (line: string): void => {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'data') data.push(value)
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value)
  }
  const takeEvent = (): ServerEvent | undefined => {
    const event: ServerEvent = {
      ...(data.length === 0 ? {} : { data: data.join('\n') }),
      ...(id === undefined ? {} : { id }),
      ...(retry === undefined ? {} : { retry }),
    }
    const isNews = data.length > 0 || id !== undefined || retry !== undefined
    data = []
    size = 0
    retry = undefined
    return isNews ? event : undefined
  }

  for await (const chunk of body) {
    const text = rest + decoder.decode(chunk, { stream: true })
    let start = 0
    for (let at = findLineEnd(text, start); at !== -1; at = findLineEnd(text, start)) {
      // Whether a line feed belongs to this carriage return is not known yet.
      if (text[at] === '\r' && at === text.length - 1) break
      const line = text.slice(start, at)
      start = text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : at + 1
      size += line.length
      if (line !== '') {
        readField(line)
        continue
      }
      const event = takeEvent()
      if (event !== undefined) yield event
    }
    rest = text.slice(start)
    if (size + rest.length > maxLength) throw new Error(`an event has more than ${maxLength} characters`)
  }
}

function findLineEnd(text: string, start: number): number {
  const feed = text.indexOf('\n', start)
  const back = text.indexOf('\r', start)
  if (back === -1) return feed
  return feed === -1 ? back : Math.min(feed, back)
}
