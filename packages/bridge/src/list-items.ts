import { isJsonObject, type JsonObject } from '@warder/protocol'
import { makeChildParams } from './eras.ts'
import type { HostedChild } from './hosted-child.ts'

const maxItems = 10_000
const wholeMs = 30_000

/** Lists all pages of a child's tools or prompts as they are; nothing where the child has none. Throws an Error in words. */
export async function listItems(child: HostedChild, kind: 'tools' | 'prompts'): Promise<unknown[]> {
  const items: unknown[] = []
  if (!isJsonObject(child.facts.capabilities[kind])) return items
  const signal = AbortSignal.timeout(wholeMs)
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const params = cursor === undefined ? {} : { cursor }
    const make = (): JsonObject => makeChildParams(params, child.facts.era, undefined)
    const outcome = await child.peer.request(`${kind}/list`, make, { signal })
    if (outcome.kind !== 'result')
      throw new Error(outcome.kind === 'error' ? outcome.error.message : outcome.kind)
    const { [kind]: page, nextCursor } = outcome.result
    if (!Array.isArray(page)) throw new Error(`sent a list of ${kind} that is not a list`)
    items.push(...page)
    cursor = typeof nextCursor === 'string' ? nextCursor : undefined
    if (cursor !== undefined && seen.has(cursor)) throw new Error(`sent the same page of its ${kind} twice`)
    if (items.length > maxItems) throw new Error(`has more than ${maxItems} ${kind}`)
    seen.add(cursor ?? '')
  } while (cursor !== undefined)
  return items
}
