import { type McpMessage, readMessageValue } from './mcp-message.ts'
import { Refusal } from './refusals.ts'
import { type JsonObject, readStrictJson } from './strict-json.ts'

/** What one POST carries: a message, or in revision 2025-03-26 a batch of them. */
export interface McpPost {
  readonly messages: readonly [McpMessage, ...McpMessage[]]
  /** Whether the messages stand in an array, also in one with a single element. */
  readonly isBatch: boolean
  /** The whole body. */
  readonly bytes: Uint8Array
}

/** The revision in which a POST may carry several messages. */
export const batchVersion = '2025-03-26'

const maxBatch = 50

/**
 * The messages of a POST body, each by the rules of `readMcpMessage`. An array is read only where `takesBatches` says so, else it
 * is `message.batch`: one to 50 messages, either responses or requests and notifications, no `initialize`, no id twice
 * (`message.shape`, `message.too-complex`; MCP 2025-03-26 transports and lifecycle).
 */
export function readMcpPost(bytes: Uint8Array, takesBatches: boolean): McpPost {
  const value = readStrictJson(bytes)
  if (!Array.isArray(value)) return { messages: [readMessageValue(value, bytes)], isBatch: false, bytes }
  if (!takesBatches) throw new Refusal('message.batch')
  if (value.length > maxBatch) throw new Refusal('message.too-complex', { detail: 'batch' })
  const [first, ...others] = value.map((item: unknown) => readMessageValue(item, encode(item)))
  if (first === undefined) throw malformed('an empty batch')
  const messages = [first, ...others] as const
  checkBatch(messages)
  return { messages, isBatch: true, bytes }
}

/** The post with other messages in the places of its own: written anew, and otherwise the values that were read. */
export function replaceMessages(post: McpPost, messages: McpPost['messages']): McpPost {
  if (messages.every((message, place) => message === post.messages[place])) return post
  const values = messages.map((message) => message.value)
  return { ...post, messages, bytes: encode(post.isBatch ? values : values[0]) }
}

/** The same message with other params; nothing else of it changes. */
export function replaceParams(message: McpMessage, params: JsonObject): McpMessage {
  const value = { ...message.value, params }
  return { ...message, params, value, bytes: encode(value) }
}

function checkBatch(messages: McpPost['messages']): void {
  const responses = messages.filter(({ kind }) => kind === 'response')
  if (responses.length > 0 && responses.length < messages.length) throw malformed('responses among requests')
  if (messages.some(({ method }) => method === 'initialize')) throw malformed('initialize in a batch')
  // Answers are told apart by their ids alone.
  const ids = messages.flatMap(({ id }) => (id === undefined ? [] : [id]))
  if (new Set(ids).size < ids.length) throw malformed('an id stands twice')
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function malformed(detail: string): Refusal {
  return new Refusal('message.shape', { detail })
}
