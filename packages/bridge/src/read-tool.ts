import { isJsonObject } from '@warder/protocol'
import type { InspectedTool } from './upstream-facts.ts'

const hints = ['readOnlyHint', 'destructiveHint', 'idempotentHint', 'openWorldHint'] as const

/** Takes from a tool's definition what says what it is for. Throws an Error when it has no name. */
export function readTool(definition: unknown): InspectedTool {
  if (!isJsonObject(definition) || typeof definition['name'] !== 'string')
    throw new Error('has a tool without a name')
  const { name, title, description, annotations } = definition
  const given = isJsonObject(annotations) ? annotations : {}
  const claimed = hints.filter((hint) => typeof given[hint] === 'boolean').map((hint) => [hint, given[hint]])
  return {
    name,
    ...(typeof title === 'string' ? { title } : {}),
    ...(typeof description === 'string' ? { description } : {}),
    ...(claimed.length === 0 ? {} : { annotations: Object.fromEntries(claimed) }),
  }
}

/** The name of a prompt. Throws an Error when it has none. */
export function readPromptName(definition: unknown): string {
  const name = isJsonObject(definition) ? definition['name'] : undefined
  if (typeof name !== 'string') throw new Error('has a prompt without a name')
  return name
}
