import {
  isJsonObject,
  type JsonLimits,
  type JsonObject,
  ownValue,
  Refusal,
  readStrictText,
} from '@warder/protocol'

/** One message of a server, of a shape that every client reads alike. */
export type ServerMessage =
  | { readonly kind: 'result'; readonly value: JsonObject; readonly result: unknown }
  | { readonly kind: 'error'; readonly value: JsonObject; readonly error: JsonObject }
  | { readonly kind: 'request' | 'notification'; readonly value: JsonObject; readonly method: string }

/** Bounds on the shape of an answer; its size is the business of whoever read it. */
export const answerLimits: JsonLimits = { depth: 64, keys: 1_000_000 }

/**
 * The one JSON-RPC message in a text from the server behind: strict JSON, no batch, either a result or an error or a method, and
 * no other members. Anything else throws `upstream.answer`. Numbers keep their digits where the runtime can do that.
 */
export function readAnswer(text: string): ServerMessage {
  return readMessage(readJson(text))
}

/** The messages of a text that may answer a batch: one alone, or several in an array that is not empty. */
export function readAnswers(text: string): { readonly messages: readonly ServerMessage[]; isArray: boolean } {
  const value = readJson(text)
  if (!Array.isArray(value)) return { messages: [readMessage(value)], isArray: false }
  if (value.length === 0) throw unreadable('an empty array')
  return { messages: value.map(readMessage), isArray: true }
}

function readJson(text: string): unknown {
  try {
    return readAnswerJson(text)
  } catch (cause) {
    throw new Refusal('upstream.answer', { detail: String(cause), cause })
  }
}

function readMessage(value: unknown): ServerMessage {
  if (!isJsonObject(value)) throw unreadable('not one object')
  if (value['jsonrpc'] !== '2.0') throw unreadable('jsonrpc')
  return readKind(value)
}

function readKind(value: JsonObject): ServerMessage {
  const members = Object.keys(value)
  const has = (...names: readonly string[]): boolean =>
    members.length === names.length && names.every((name) => Object.hasOwn(value, name))
  const error = ownValue(value, 'error')
  const method = ownValue(value, 'method')
  if (has('jsonrpc', 'id', 'result')) return { kind: 'result', value, result: value['result'] }
  if ((has('jsonrpc', 'id', 'error') || has('jsonrpc', 'error')) && isJsonObject(error)) {
    return { kind: 'error', value, error }
  }
  if (typeof method === 'string') {
    if (has('jsonrpc', 'id', 'method') || has('jsonrpc', 'id', 'method', 'params')) {
      return { kind: 'request', value, method }
    }
    if (has('jsonrpc', 'method') || has('jsonrpc', 'method', 'params')) {
      return { kind: 'notification', value, method }
    }
  }
  throw unreadable('neither result nor error nor request')
}

/** A schema may hold 64-bit bounds, which the strict reader refuses; here they only have to come out as they went in. */
function readAnswerJson(text: string): unknown {
  const strict = (json: string): unknown => readStrictText(json, answerLimits)
  try {
    return strict(text)
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason !== 'message.number') throw error
  }
  const value: unknown = JSON.parse(text, keepDigits)
  // All else that the strict reader wants, without the numbers: they are no longer the question.
  strict(text.replace(/"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*/g, (token) => (token[0] === '"' ? token : '0')))
  return value
}

const { rawJSON } = JSON as { readonly rawJSON?: (text: string) => unknown }

function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  if (typeof value !== 'number' || source === undefined || rawJSON === undefined) return value
  return String(value) === source ? value : rawJSON(source)
}

function unreadable(detail: string): Refusal {
  return new Refusal('upstream.answer', { detail })
}
