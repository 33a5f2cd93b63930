import type { JsonRpcId } from './json-rpc.ts'
import { checkMemberNames } from './member-names.ts'
import { PROTOCOL_VERSION_META_KEY } from './meta-keys.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, type JsonObject, ownValue, readStrictJson } from './strict-json.ts'
import { unsupportedVersion } from './supported-versions.ts'

/** What all kinds of messages have in common. */
interface MessageBase {
  /** The whole JSON value. Forward this or `bytes`, and nothing that was read in another way. */
  readonly value: JsonObject
  /** The body as it came. */
  readonly bytes: Uint8Array
  readonly params?: JsonObject
  /** The revision that `_meta` of the body names; absent in messages of 2025-11-25 and before. Not checked to be supported. */
  readonly version?: string
}

/** A JSON-RPC request: wants an answer. */
export interface McpRequest extends MessageBase {
  readonly kind: 'request'
  readonly id: JsonRpcId
  readonly method: string
}

/** A JSON-RPC notification: gets none. */
export interface McpNotification extends MessageBase {
  readonly kind: 'notification'
  readonly id?: never
  readonly method: string
}

/** The answer of a client of 2025-11-25 or before to a request of the server. */
export interface McpResponse extends MessageBase {
  readonly kind: 'response'
  readonly id: JsonRpcId
  readonly method?: never
}

/** One message of a client, read once and strictly. */
export type McpMessage = McpRequest | McpNotification | McpResponse

const maxIdLength = 1024
const members: Readonly<Record<McpMessage['kind'], readonly string[]>> = {
  request: ['jsonrpc', 'id', 'method', 'params'],
  notification: ['jsonrpc', 'method', 'params'],
  response: ['jsonrpc', 'id', 'result', 'error'],
}

/**
 * The one JSON-RPC message of a POST body (MCP streamable HTTP, JSON-RPC 2.0 section 4).
 *
 * Strict JSON as `readStrictJson` has it, no batch (`message.batch`), no member beyond those of JSON-RPC in exactly their
 * spelling (`message.shape`), `params` an object and `_meta` in it too, with the names that `checkMemberNames` takes
 * (`message.params`), ids strings of at most 1,024 characters or safe integers, the protocol version in `_meta` a string
 * (`message.version`). Does not check that method and version are supported, nor headers, nor the size of the body.
 */
export function readMcpMessage(bytes: Uint8Array): McpMessage {
  const value = readStrictJson(bytes)
  if (Array.isArray(value)) throw new Refusal('message.batch')
  return readMessageValue(value, bytes)
}

/** The message that a JSON value is, by the rules of `readMcpMessage`; `bytes` are its text. */
export function readMessageValue(value: unknown, bytes: Uint8Array): McpMessage {
  if (!isJsonObject(value)) throw malformed('not an object')
  const kind = readKind(value)
  if (!Object.keys(value).every((key) => members[kind].includes(key))) throw malformed('unknown member')
  if (value['jsonrpc'] !== '2.0') throw malformed('jsonrpc')
  if (kind === 'response') return { kind, id: readId(value), value, bytes }
  const { method } = value
  if (typeof method !== 'string') throw malformed('method')
  const rest = { method, ...readParams(value), value, bytes }
  return kind === 'request' ? { kind, id: readId(value), ...rest } : { kind, ...rest }
}

function readKind(value: JsonObject): McpMessage['kind'] {
  if (Object.hasOwn(value, 'method')) return Object.hasOwn(value, 'id') ? 'request' : 'notification'
  if (Object.hasOwn(value, 'result') === Object.hasOwn(value, 'error')) throw malformed('neither kind')
  if (Object.hasOwn(value, 'error') && !isJsonRpcError(value['error'])) throw malformed('error')
  return 'response'
}

function isJsonRpcError(error: unknown): boolean {
  return (
    isJsonObject(error) &&
    Number.isSafeInteger(ownValue(error, 'code')) &&
    typeof ownValue(error, 'message') === 'string'
  )
}

function readId(value: JsonObject): JsonRpcId {
  const id = ownValue(value, 'id')
  if (typeof id === 'string' && id.length <= maxIdLength) return id
  if (Number.isSafeInteger(id)) return id as number
  throw malformed('id')
}

function readParams(value: JsonObject): { params?: JsonObject; version?: string } {
  if (!Object.hasOwn(value, 'params')) return {}
  const { params } = value
  if (!isJsonObject(params)) throw new Refusal('message.params', { detail: 'params' })
  checkMemberNames(params)
  const meta = ownValue(params, '_meta')
  if (meta === undefined) return { params }
  if (!isJsonObject(meta)) throw new Refusal('message.params', { detail: '_meta' })
  const version = ownValue(meta, PROTOCOL_VERSION_META_KEY)
  if (version === undefined) return { params }
  if (typeof version !== 'string') throw unsupportedVersion(JSON.stringify(version), 'meta')
  return { params, version }
}

function malformed(detail: string): Refusal {
  return new Refusal('message.shape', { detail })
}
