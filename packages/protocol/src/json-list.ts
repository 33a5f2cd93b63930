import { JsonScanner } from './json-scanner.ts'
import { Refusal } from './refusals.ts'
import type { JsonLimits } from './strict-json.ts'

/** One object of a list, as the text has it. */
export interface JsonItem {
  readonly text: string
  /** What the member says by which items are told apart. */
  readonly name: string
}

/** A list in a JSON text, and the text around it. */
export interface JsonList {
  /** The whole text with an empty list in this place. */
  readonly rest: string
  readonly items: readonly JsonItem[]
}

/** Where a list stands in a JSON text. */
export interface JsonListPlace {
  /** The member of the outermost object that has the list among its members. */
  readonly within: string
  readonly list: string
  /** The member by which its items are told apart. */
  readonly name: string
}

/**
 * The list at a place of a JSON text on which `readStrictText` finds nothing to refuse, in one pass and without making a value
 * of each item. Undefined where the text is refused, the list is not there, or an item is no object with such a name: who wants
 * to know why reads the text as a whole.
 */
export function readJsonList(text: string, place: JsonListPlace, limits: JsonLimits): JsonList | undefined {
  try {
    return scanList(new JsonScanner(text, limits.depth ?? 64, limits.keys ?? 10_000), place)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function scanList(scanner: JsonScanner, place: JsonListPlace): JsonList | undefined {
  const { text } = scanner
  const items: JsonItem[] = []
  let isWhole = true
  let name: string | undefined
  let rest: string | undefined

  const scanItemMember = (key: string): void => {
    if (key === place.name) name = scanner.readText()
    else scanner.scanValue()
  }
  const scanItem = (): void => {
    scanner.skipWhitespace()
    const start = scanner.at
    name = undefined
    scanner.scanObject(scanItemMember)
    if (name === undefined) isWhole = false
    else items.push({ text: text.slice(start, scanner.at), name })
  }
  const scanMember = (key: string): void => {
    const start = scanner.at
    if (key !== place.list) scanner.scanValue()
    else if (scanner.scanList(scanItem)) rest = `${text.slice(0, start)}[]${text.slice(scanner.at)}`
  }
  scanner.scanObject((key) => {
    if (key === place.within) scanner.scanObject(scanMember)
    else scanner.scanValue()
  })
  scanner.end()
  return isWhole && rest !== undefined ? { rest, items } : undefined
}
