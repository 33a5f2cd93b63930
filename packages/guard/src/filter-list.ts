import type { Call, Decision, ServerPolicy } from '@warder/policy'
import { isJsonObject, type JsonObject, knownMethods, ownValue, Refusal } from '@warder/protocol'
import { hiddenNames, mentions, withoutLinesAbout } from './hidden-names.ts'

/** What filtering needs: the part of the policy, and its decision for this caller. */
export interface FilterParts {
  readonly server: ServerPolicy
  decide(call: Call): Decision
}

export type List = 'tools' | 'prompts' | 'resources' | 'resourceTemplates'

/** The member by which items are told apart. */
export const nameMembers: Readonly<Record<List, string>> = {
  tools: 'name',
  prompts: 'name',
  resources: 'uri',
  resourceTemplates: 'uriTemplate',
}

const calls: Readonly<Record<List, (name: string) => Call>> = {
  tools: (name) => ({ kind: 'tool', name }),
  prompts: (name) => ({ kind: 'prompt', name }),
  resources: (uri) => ({ kind: 'resource', uri }),
  resourceTemplates: (uri) => ({ kind: 'resource', uri }),
}

/** Members of a list result besides the list itself; others could carry what the list must not show. */
const envelope: readonly string[] = ['nextCursor', 'ttlMs', 'cacheScope', 'resultType', '_meta']
const described: readonly string[] = ['initialize', 'server/discover']

/**
 * The result of a method as this caller may see it: of lists what is open and, unless the policy says otherwise, locked, in the
 * order of the server; of `initialize` and `server/discover` the instructions without lines about what is hidden; of a completion
 * the candidates that name nothing hidden (M25). Lists and
 * `server/discover` become `cacheScope: "private"`, and whatever else said `public` too (MCP GW-67, GW-68). A shape that is not
 * known throws `upstream.answer`. Descriptions are not searched for names.
 */
export function filterResult(method: string, result: unknown, parts: FilterParts): unknown {
  if (!isJsonObject(result)) throw new Refusal('upstream.answer', { detail: 'the result is not an object' })
  const list = knownMethods.get(method)?.lists
  if (list !== undefined) return filterList(list, result, parts)
  if (described.includes(method)) return filterDescription(method, result, parts)
  if (method === 'completion/complete') return filterCompletion(result, parts)
  return Object.hasOwn(result, 'cacheScope') ? { ...result, cacheScope: 'private' } : result
}

function filterList(list: List, result: JsonObject, parts: FilterParts): JsonObject {
  const items = ownValue(result, list)
  if (!Array.isArray(items)) throw new Refusal('upstream.answer', { detail: `no ${list}` })
  const rest = Object.entries(result).filter(([name]) => envelope.includes(name))
  return {
    ...Object.fromEntries(rest),
    [list]: items.filter((item) => isVisible(list, item, parts)),
    cacheScope: 'private',
  }
}

function isVisible(list: List, item: unknown, parts: FilterParts): boolean {
  if (!isJsonObject(item)) throw new Refusal('upstream.answer', { detail: `an item of ${list}` })
  const { outcome } = parts.decide(calls[list](readName(item, nameMembers[list])))
  return outcome === 'open' || (outcome === 'locked' && parts.server.listLocked)
}

function readName(item: JsonObject, member: string): string {
  const name = ownValue(item, member)
  if (typeof name !== 'string' || name === '')
    throw new Refusal('upstream.answer', { detail: `no ${member}` })
  return name
}

function filterDescription(method: string, result: JsonObject, parts: FilterParts): JsonObject {
  const instructions = ownValue(result, 'instructions')
  if (instructions !== undefined && typeof instructions !== 'string')
    throw new Refusal('upstream.answer', { detail: 'instructions that are no text' })
  const kept =
    instructions === undefined
      ? {}
      : { instructions: withoutLinesAbout(instructions, hiddenNames(parts.server, parts.decide)) }
  return { ...result, ...kept, ...(method === 'server/discover' ? { cacheScope: 'private' } : {}) }
}

/** How many there are in all is said only where none was taken away. */
function filterCompletion(result: JsonObject, parts: FilterParts): JsonObject {
  const completion = ownValue(result, 'completion')
  const values = isJsonObject(completion) ? ownValue(completion, 'values') : undefined
  if (!Array.isArray(values)) throw new Refusal('upstream.answer', { detail: 'no completion' })
  const names = hiddenNames(parts.server, parts.decide)
  const kept = values.filter((value) => typeof value === 'string' && !mentions(value, names))
  return kept.length === values.length ? result : { ...result, completion: { values: kept } }
}

/** The method whose result this could be, where it must be filtered: a resumed stream does not say what was asked. */
export function guessMethod(result: JsonObject): string | undefined {
  for (const [method, { lists }] of knownMethods) {
    if (lists !== undefined && Object.hasOwn(result, lists)) return method
  }
  if (Object.hasOwn(result, 'completion')) return 'completion/complete'
  return Object.hasOwn(result, 'instructions') ? 'initialize' : undefined
}
