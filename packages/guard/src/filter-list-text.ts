import { isJsonObject, type JsonObject, readJsonList } from '@warder/protocol'
import { type List, nameMembers } from './filter-list.ts'
import { answerLimits, readAnswer, type ServerMessage } from './read-answer.ts'

/**
 * The answer to a request for a list, as the same answer read, filtered and written anew says it; but the items that stay are not
 * read and written, they keep the text that the strict scan found good. Undefined for an answer of another shape, and for one that
 * must be refused: who reads all of it knows why. Nor for texts of several lines: an event of a stream has one.
 */
export function filterListText(
  answer: string,
  list: List,
  filterMessage: (message: ServerMessage) => JsonObject | undefined,
): string | undefined {
  if (/[\r\n]/.test(answer)) return undefined
  const name = nameMembers[list]
  const found = readJsonList(answer, { within: 'result', list, name }, answerLimits)
  if (found === undefined) return undefined
  const message = readAnswer(found.rest)
  if (message.kind !== 'result' || !isJsonObject(message.result)) return undefined
  // The filter looks at nothing of an item but its name.
  const all = found.items.map((item) => ({ [name]: item.name, text: item.text }))
  const passed = filterMessage({ ...message, result: { ...message.result, [list]: all } })
  if (passed === undefined) return undefined
  const { result, ...envelope } = passed
  const { [list]: items, ...rest } = result as JsonObject
  const kept = (items as typeof all).map(({ text }) => text)
  // Neither of the two is empty: an answer has an id, and every list a cache scope.
  const before = JSON.stringify(envelope).slice(0, -1)
  const after = JSON.stringify(rest).slice(1)
  return `${before},"result":{"${list}":[${kept.join(',')}],${after}}`
}
