import { isJsonObject, type JsonObject } from '@warder/protocol'
import { makeChildParams } from './eras.ts'
import type { HostedChild } from './hosted-child.ts'
import { readTool } from './read-tool.ts'
import type { InspectedTool } from './upstream-facts.ts'

const maxTools = 10_000
const wholeMs = 30_000

/** Lists all pages of a child's tools. Throws an Error in words. */
export async function listTools(child: HostedChild): Promise<InspectedTool[]> {
  const tools: InspectedTool[] = []
  if (!isJsonObject(child.facts.capabilities['tools'])) return tools
  const signal = AbortSignal.timeout(wholeMs)
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const params = cursor === undefined ? {} : { cursor }
    const make = (): JsonObject => makeChildParams(params, child.facts.era, undefined)
    const outcome = await child.peer.request('tools/list', make, { signal })
    if (outcome.kind !== 'result')
      throw new Error(outcome.kind === 'error' ? outcome.error.message : outcome.kind)
    const { tools: page, nextCursor } = outcome.result
    if (!Array.isArray(page)) throw new Error('sent a list of tools that is not a list')
    tools.push(...page.map(readTool))
    cursor = typeof nextCursor === 'string' ? nextCursor : undefined
    if (cursor !== undefined && seen.has(cursor)) throw new Error('sent the same page of its tools twice')
    if (tools.length > maxTools) throw new Error(`has more than ${maxTools} tools`)
    seen.add(cursor ?? '')
  } while (cursor !== undefined)
  return tools
}
