import { isJsonObject, type McpMessage, readStrictText } from '@warder/protocol'
import type { WireError } from '../child-peer.ts'
import { readEvents } from './read-events.ts'
import { readMessages } from './read-message.ts'
import { innermostWords, ServerTrouble } from './server-trouble.ts'

const maxAnswerBytes = 32 * 1024 * 1024
const maxErrorBytes = 256 * 1024

/** What is told about while the body of an answer is read. */
export interface AnswerReader {
  /** What it returns is waited for before more is read, so that a host that reads slowly slows the server down. */
  onMessage(message: McpMessage): void | Promise<void>
  /** Something that should have been a message, and why it is none. */
  onGarbage(why: string): void
  /** How to go on with this stream when it breaks. */
  onPlace?(place: { readonly id?: string; readonly retry?: number }): void
}

/**
 * Reads the body of an answer to its end: one JSON text, or the events of a stream. Throws `ServerTrouble` `unreachable` when it breaks
 * off, `answer` when it is neither, or too large.
 */
export async function readAnswer(response: Response, reader: AnswerReader): Promise<void> {
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'text/event-stream') return readStream(response, reader)
  const text = await readText(response, maxAnswerBytes)
  if (text.trim() === '' || response.status === 202) return
  if (type !== 'application/json') {
    throw new ServerTrouble(
      'answer',
      `it sent ${type === undefined || type === '' ? 'a body without a type' : type.slice(0, 80)}`,
    )
  }
  await takeMessages(text, reader)
}

async function readStream(response: Response, reader: AnswerReader): Promise<void> {
  if (response.body === null) return
  try {
    for await (const { data, id, retry } of readEvents(response.body, maxAnswerBytes)) {
      if (id !== undefined || retry !== undefined) {
        reader.onPlace?.({ ...(id === undefined ? {} : { id }), ...(retry === undefined ? {} : { retry }) })
      }
      if (data !== undefined && data !== '') await takeMessages(data, reader)
    }
  } catch (error) {
    if (error instanceof ServerTrouble) throw error
    throw new ServerTrouble('unreachable', `its stream broke off: ${innermostWords(error)}`, { cause: error })
  }
}

async function takeMessages(text: string, reader: AnswerReader): Promise<void> {
  let messages: readonly McpMessage[]
  try {
    messages = readMessages(text)
  } catch (error) {
    return reader.onGarbage(innermostWords(error))
  }
  for (const message of messages) await reader.onMessage(message)
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  let size = 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > maxBytes) break
      text += decoder.decode(chunk, { stream: true })
    }
  } catch (error) {
    throw new ServerTrouble('unreachable', `its answer broke off: ${innermostWords(error)}`, { cause: error })
  }
  if (size > maxBytes) throw new ServerTrouble('answer', `its answer has more than ${maxBytes} bytes`)
  return text + decoder.decode()
}

/** Why an answer outside of 200 to 299 is what it is. Reads its body. */
export async function readTrouble(response: Response): Promise<ServerTrouble> {
  const { status } = response
  const wire = await readWireError(response)
  const words = `it answered ${status}${wire === undefined ? '' : `: ${wire.message.slice(0, 500)}`}`
  if (status === 401 || status === 403) return new ServerTrouble('unauthorized', words, { status, wire })
  if (status >= 300 && status < 400) {
    const place = response.headers.get('location')?.slice(0, 200) ?? 'another place'
    return new ServerTrouble(
      'answer',
      `it leads on to ${place}; name that address instead, if you trust it`,
      { status },
    )
  }
  const kind = status === 429 || status >= 500 ? 'unreachable' : 'answer'
  return new ServerTrouble(kind, words, { status, wire })
}

async function readWireError(response: Response): Promise<WireError | undefined> {
  try {
    const value = readStrictText(await readText(response, maxErrorBytes), { depth: 200, keys: 100_000 })
    const error = isJsonObject(value) ? value['error'] : undefined
    if (!isJsonObject(error)) return undefined
    const { code, message, data } = error
    if (!Number.isSafeInteger(code) || typeof message !== 'string') return undefined
    return { code: code as number, message, ...(data === undefined ? {} : { data }) }
  } catch {
    return undefined
  }
}

/** Lets an answer go that nobody reads. A short one is read to its end, so that its connection can be used again. */
export function dropBody(response: Response): void {
  readText(response, 16 * 1024).catch(() => response.body?.cancel().catch(() => undefined))
}
