import type { McpMessage } from './mcp-message.ts'
import { knownMethods, type McpMethod } from './mcp-methods.ts'
import { replaceParams } from './mcp-post.ts'
import { messageEra } from './protocol-version.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, type JsonObject, ownValue } from './strict-json.ts'

/** What a message wants to do: the shape that policies decide about. */
export type McpCall =
  | { readonly kind: 'tool'; readonly name: string; readonly args?: JsonObject }
  | { readonly kind: 'resource'; readonly uri: string }
  | { readonly kind: 'prompt'; readonly name: string }
  | { readonly kind: 'session'; readonly method: string }

/**
 * What a message wants to do, from its body alone (MCP GW-33).
 *
 * Methods outside `knownMethods`, or of the other era, throw `message.method`; a request without id or a notification with one
 * `message.shape` (M11); a missing or mistyped target or arguments that are not an object `message.params`. Names are taken as they
 * are, without any normalization. A response counts as part of the session. `subscriptions/listen` names resources besides: see
 * `readSubscribedResources`.
 */
export function readCall(message: McpMessage): McpCall {
  if (message.kind === 'response') return { kind: 'session', method: 'response' }
  const rule = knownMethods.get(message.method)
  if (rule === undefined) throw new Refusal('message.method', { detail: message.method.slice(0, 64) })
  if (!rule.eras.includes(messageEra(message))) throw new Refusal('message.method', { detail: 'era' })
  if (rule.form !== message.kind) throw new Refusal('message.shape', { detail: `a ${rule.form}` })
  return readTarget(rule, message.method, message.params ?? {})
}

function readTarget(rule: McpMethod, method: string, params: JsonObject): McpCall {
  switch (rule.kind) {
    case 'tool': {
      const name = readString(params, 'name')
      const args = ownValue(params, 'arguments')
      // A call without arguments is one with none, and not a question whose arguments are still to come.
      if (args === undefined) return { kind: 'tool', name, args: {} }
      if (!isJsonObject(args)) throw malformed('arguments')
      return { kind: 'tool', name, args }
    }
    case 'prompt':
      return { kind: 'prompt', name: readString(params, 'name') }
    case 'resource':
      return { kind: 'resource', uri: readString(params, 'uri') }
    case 'completion':
      return readReference(ownValue(params, 'ref'))
    default:
      return { kind: 'session', method }
  }
}

/** A completion is decided like the prompt or resource (template) that it completes for (M25). */
function readReference(reference: unknown): McpCall {
  if (!isJsonObject(reference)) throw malformed('ref')
  const type = ownValue(reference, 'type')
  if (type === 'ref/prompt') return { kind: 'prompt', name: readString(reference, 'name') }
  if (type === 'ref/resource') return { kind: 'resource', uri: readString(reference, 'uri') }
  throw malformed('ref')
}

const maxSubscribed = 200

/** What a `subscriptions/listen` asks for: its filter as it came, and the resources in it. */
export interface ListenFilter {
  readonly filter: JsonObject
  readonly uris: readonly string[]
}

/**
 * The filter of a `subscriptions/listen` (MCP GW-62): `message.params` for what is none, and `message.too-complex` for more than 200
 * URIs. Does not look at the lists that it names.
 */
export function readListenFilter({ params = {} }: McpMessage): ListenFilter {
  const filter = ownValue(params, 'notifications')
  if (!isJsonObject(filter)) throw malformed('notifications')
  const given = ownValue(filter, 'resourceSubscriptions')
  const uris = given === undefined ? [] : given
  if (!Array.isArray(uris) || !uris.every((uri) => typeof uri === 'string'))
    throw malformed('resourceSubscriptions')
  if (uris.length > maxSubscribed) throw new Refusal('message.too-complex', { detail: 'subscriptions' })
  return { filter, uris }
}

/** The URIs that a `subscriptions/listen` asks for; each must be decided like `resources/read` (MCP GW-64). Else none. */
export function readSubscribedResources(message: McpMessage): readonly string[] {
  return message.method === 'subscriptions/listen' ? readListenFilter(message).uris : []
}

/** The same `subscriptions/listen` for these URIs only; the message itself when it asks for no others. */
export function narrowSubscription(message: McpMessage, allowed: ReadonlySet<string>): McpMessage {
  const uris = readSubscribedResources(message)
  if (uris.every((uri) => allowed.has(uri))) return message
  const params = message.params ?? {}
  const filter = ownValue(params, 'notifications') as JsonObject
  const resourceSubscriptions = uris.filter((uri) => allowed.has(uri))
  return replaceParams(message, { ...params, notifications: { ...filter, resourceSubscriptions } })
}

function readString(params: JsonObject, name: string): string {
  const value = ownValue(params, name)
  if (typeof value !== 'string' || value === '') throw malformed(name)
  return value
}

function malformed(detail: string): Refusal {
  return new Refusal('message.params', { detail })
}
