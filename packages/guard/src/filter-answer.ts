import type { Principal } from '@warder/policy'
import { isJsonObject, type JsonObject, knownMethods, ownValue, Refusal, refusals } from '@warder/protocol'
import { collectBytes } from './collect-bytes.ts'
import { guessMethod } from './filter-list.ts'
import { filterListText } from './filter-list-text.ts'
import type { Guard } from './guard.ts'
import { mentionsAnywhere } from './hidden-names.ts'
import { readAnswer, readAnswers, type ServerMessage } from './read-answer.ts'
import {
  formatServerSentEvent,
  readServerSentEvents,
  type ServerSentEvent,
  type StreamPart,
} from './server-sent-events.ts'

/** What is being answered: a method, `GET`, or a batch as the method of each request by its id in JSON. */
export type Asked = string | ReadonlyMap<string, string>

/** Makes of a cursor of the server behind one that only this caller can use (N01). */
export type SealCursor = (method: string, cursor: string) => string

/** What an answer is filtered with. */
interface Filter {
  readonly guard: Guard
  readonly principal: Principal
  readonly asked: Asked
  readonly sealCursor: SealCursor | undefined
}

const filtered: readonly string[] = ['initialize', 'server/discover', 'resources/read', 'completion/complete']
/** `GET` stands for the stream of older clients, which is not the answer to one request. */
const openStreams: readonly string[] = ['GET', 'subscriptions/listen']
const maxListLength = 8 * 1024 * 1024
const maxContentLength = 32 * 1024 * 1024

/** Whether answers to this must go through `filterAnswer`; all others may pass as they are. */
export function isFiltered(asked: Asked): boolean {
  if (typeof asked !== 'string') return true
  return filtered.includes(asked) || isOpenStream(asked) || knownMethods.get(asked)?.lists !== undefined
}

/** Whether the answer to this method goes on until one side ends it. */
export function isOpenStream(method: string): boolean {
  return openStreams.includes(method)
}

/**
 * The body of an answer as the principal may see it. Cursors of lists pass as they are where there is no `sealCursor`.
 *
 * JSON comes out whole, events one by one as they come. Nothing is passed on that was not read first: every message is written
 * anew from what was read (items of a list keep the text that was read), comments lose their text, events that no client dispatches are dropped. What clients could read in
 * another way throws `upstream.answer`: another content type, a byte order mark, invalid UTF-8 or JSON, duplicate keys, several
 * messages in one event, a result beside an error, more than 8 MB (`resources/read`: 32 MB). Then nothing of that message has come out; what came out
 * before was complete. Content codings must be undone by the caller.
 */
export async function* filterAnswer(
  guard: Guard,
  principal: Principal,
  asked: Asked,
  contentType: string | undefined,
  body: AsyncIterable<Uint8Array>,
  sealCursor?: SealCursor,
): AsyncGenerator<Uint8Array> {
  const filter: Filter = { guard, principal, asked, sealCursor }
  const encoder = new TextEncoder()
  const limit = asked === 'resources/read' ? maxContentLength : maxListLength
  switch (readContentType(contentType)) {
    case 'application/json': {
      const text = filterText(filter, await readWhole(body, limit))
      if (text === undefined) throw new Refusal('upstream.answer', { detail: 'no answer in the answer' })
      yield encoder.encode(text)
      break
    }
    case 'text/event-stream':
      for await (const part of readServerSentEvents(body, limit)) {
        const passed = filterPart(filter, part)
        if (passed !== undefined) yield encoder.encode(formatServerSentEvent(passed))
      }
      break
    default:
      throw new Refusal('upstream.answer', { detail: 'content type' })
  }
}

/** The media type, where its only parameter is a charset of UTF-8. */
function readContentType(contentType: string | undefined): string | undefined {
  return /^([a-z/-]+)(?:\s*;\s*charset="?utf-8"?)?\s*$/i.exec(contentType ?? '')?.[1]?.toLowerCase()
}

async function readWhole(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const whole = collectBytes()
  for await (const bytes of body) {
    if (whole.size + bytes.byteLength > limit) throw new Refusal('upstream.answer', { detail: 'too long' })
    whole.add(bytes)
  }
  try {
    // At once: in pieces decoding takes several times as long.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole.bytes)
  } catch (cause) {
    throw new Refusal('upstream.answer', { detail: 'invalid UTF-8', cause })
  }
}

/** Where in the stream a client is, and when it should come back. */
type StreamPosition = Pick<ServerSentEvent, 'id' | 'retry'>

function filterPart(filter: Filter, part: StreamPart): StreamPart | undefined {
  if (part === 'comment') return part
  const { event, data, id, retry } = part
  // An id is opaque to clients, but they would see a name in it; without an id they cannot resume there, no more.
  const isQuiet =
    id !== undefined && !filter.guard.hiddenNames(filter.principal).some((name) => id.includes(name))
  const position = { id: isQuiet ? id : undefined, retry }
  // Without data a client reads no message, but the id lets it resume there.
  if (data === undefined || data === '') return formatPosition(position, data)
  if (event !== undefined && event !== 'message') return undefined
  const text = filterText(filter, data)
  return text === undefined ? formatPosition(position, '') : { ...position, event: 'message', data: text }
}

function formatPosition(position: StreamPosition, data: string | undefined): StreamPart | undefined {
  if (position.id === undefined && position.retry === undefined) return undefined
  return data === undefined ? position : { ...position, data }
}

/** Only what answers a batch may be several messages at once. */
function filterText(filter: Filter, text: string): string | undefined {
  if (typeof filter.asked === 'string') {
    const list = knownMethods.get(filter.asked)?.lists
    const short =
      list === undefined ? undefined : filterListText(text, list, (answer) => filterMessage(filter, answer))
    if (short !== undefined) return short
    const message = filterMessage(filter, readAnswer(text))
    return message && JSON.stringify(message)
  }
  const { messages, isArray } = readAnswers(text)
  const passed = messages.flatMap((message) => filterMessage(filter, message) ?? [])
  if (passed.length === 0) return undefined
  return JSON.stringify(isArray ? passed : passed[0])
}

function filterMessage(filter: Filter, message: ServerMessage): JsonObject | undefined {
  switch (message.kind) {
    case 'result':
      return { ...message.value, result: filterResultOf(filter, message) }
    case 'error':
      return { ...message.value, error: filterError(filter, message.error) }
    case 'notification':
      return filterNotification(filter, message.method, message.value)
    case 'request':
      return isAboutHidden(filter, message.value) ? undefined : message.value
  }
}

function filterResultOf(filter: Filter, message: ServerMessage & { kind: 'result' }): unknown {
  const { guard, principal, sealCursor } = filter
  const method = methodOf(filter.asked, message)
  const result = guard.filter(principal, method, message.result)
  if (sealCursor === undefined || knownMethods.get(method)?.lists === undefined || !isJsonObject(result)) {
    return result
  }
  const { nextCursor, ...rest } = result
  return typeof nextCursor === 'string' ? { ...rest, nextCursor: sealCursor(method, nextCursor) } : rest
}

/** What a result answers: on a stream that was not opened by a request its shape has to tell. */
function methodOf(asked: Asked, { value, result }: ServerMessage & { kind: 'result' }): string {
  if (typeof asked === 'string') {
    return (isOpenStream(asked) && isJsonObject(result) ? guessMethod(result) : undefined) ?? asked
  }
  const method = asked.get(JSON.stringify(value['id']))
  if (method === undefined) throw new Refusal('upstream.answer', { detail: 'an answer to nothing' })
  return method
}

/** "Did you mean …" is the server's to say, unless it names what the caller must not see. */
function filterError(filter: Filter, error: JsonObject): JsonObject {
  if (!isAboutHidden(filter, error)) return error
  return { code: ownValue(error, 'code'), message: refusals['upstream.answer'].says }
}

function filterNotification(filter: Filter, method: string, value: JsonObject): JsonObject | undefined {
  const params = ownValue(value, 'params')
  if (method.endsWith('/list_changed')) {
    const meta = isJsonObject(params) ? ownValue(params, '_meta') : undefined
    return { jsonrpc: '2.0', method, ...(meta === undefined ? {} : { params: { _meta: meta } }) }
  }
  if (method === 'notifications/resources/updated') {
    const uri = isJsonObject(params) ? ownValue(params, 'uri') : undefined
    if (typeof uri !== 'string') throw new Refusal('upstream.answer', { detail: 'no uri' })
    return mayRead(filter, uri) ? value : undefined
  }
  if (method === 'notifications/subscriptions/acknowledged' && isJsonObject(params)) {
    return { ...value, params: filterAcknowledgment(filter, params) }
  }
  return isAboutHidden(filter, value) ? undefined : value
}

/** What the server says it honours, without resources that the caller may not read (MCP GW-64). */
function filterAcknowledgment(filter: Filter, params: JsonObject): JsonObject {
  const honored = ownValue(params, 'notifications')
  if (!isJsonObject(honored)) throw new Refusal('upstream.answer', { detail: 'nothing is acknowledged' })
  const uris = ownValue(honored, 'resourceSubscriptions')
  if (uris === undefined) return params
  if (!Array.isArray(uris)) throw new Refusal('upstream.answer', { detail: 'resourceSubscriptions' })
  const resourceSubscriptions = uris.filter((uri) => typeof uri === 'string' && mayRead(filter, uri))
  return { ...params, notifications: { ...honored, resourceSubscriptions } }
}

function mayRead({ guard, principal }: Filter, uri: string): boolean {
  return guard.decide(principal, { kind: 'resource', uri }).outcome === 'open'
}

function isAboutHidden({ guard, principal }: Filter, value: JsonObject): boolean {
  return mentionsAnywhere(value, guard.hiddenNames(principal))
}
