import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node } from 'yaml'
import type { PolicyProblem } from './policy-errors.ts'

/** A value of the file and where it stands; `node` is null where a key has no value. */
export interface Place {
  readonly node: Node | null
  readonly offset: number
}

/** A key of a mapping with its value. */
export interface Entry {
  readonly name: string
  readonly key: Place
  readonly value: Place
}

/** Which keys a mapping may have, and words for keys that other versions of the file know. */
export interface Keys {
  readonly known: readonly string[]
  readonly unsupported?: Readonly<Record<string, string>>
}

/**
 * Reads the shapes of a YAML tree and notes what is wrong instead of throwing, so that one pass finds everything. A value
 * of the wrong shape reads as undefined or empty; the file is refused in the end, so nobody ever decides with it.
 */
export interface NodeReader {
  readonly problems: PolicyProblem[]
  problem(place: Place, message: string): void
  /** Any keys, in the order of the file. */
  entries(place: Place, what: string): readonly Entry[]
  /** Only the keys given; undefined when there is no mapping at all. */
  fields(place: Place, what: string, keys: Keys): ReadonlyMap<string, Entry> | undefined
  items(place: Place, what: string): readonly Place[]
  /** Text that is not empty, without control characters. */
  text(place: Place, what: string): string | undefined
  texts(place: Place, what: string): readonly (readonly [string, Place])[]
  flag(place: Place, what: string): boolean | undefined
}

/**
 * Control characters, line separators, lone surrogates, and what turns the direction of text around. Not all that nobody sees:
 * joiners and selectors belong into the titles of many languages; names of tools must not have them either (`unfitPattern`).
 */
export const unfitText: RegExp =
  /[\p{Cc}\p{Cs}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** Makes a reader that turns offsets into lines and columns with the counter that the parser filled. */
export function makeNodeReader(lines: LineCounter): NodeReader {
  const problems: PolicyProblem[] = []
  const problem = (place: Place, message: string): void => {
    const { line, col } = lines.linePos(place.offset)
    problems.push({ line: Math.max(line, 1), column: Math.max(col, 1), message })
  }

  const unexpected = (place: Place, what: string, wanted: string): void => {
    if (isAlias(place.node))
      problem(place, `${what}: anchors and aliases are not supported, write the value out`)
    else problem(place, `${what} must be ${wanted}, not ${shapeOf(place.node)}`)
  }

  const entries = (place: Place, what: string): readonly Entry[] => {
    if (!isMap(place.node)) {
      unexpected(place, what, 'a mapping (key: value)')
      return []
    }
    const found = new Map<string, Entry>()
    for (const pair of place.node.items) {
      const key = placeOf(pair.key, place.offset)
      const name = isScalar(key.node) ? key.node.value : undefined
      if (typeof name !== 'string') problem(key, `${what}: a key must be text; put it in quotes`)
      else if (name === '' || unfitText.test(name))
        problem(key, `${what}: a key must not be empty or have control characters`)
      else if (found.has(name)) problem(key, `${what}: ${name} stands here twice`)
      else found.set(name, { name, key, value: placeOf(pair.value, key.offset) })
    }
    return [...found.values()]
  }

  const fields = (place: Place, what: string, keys: Keys): ReadonlyMap<string, Entry> | undefined => {
    if (!isMap(place.node)) return void unexpected(place, what, 'a mapping (key: value)')
    const found = new Map<string, Entry>()
    for (const entry of entries(place, what)) {
      const unsupported = keys.unsupported
      if (keys.known.includes(entry.name)) found.set(entry.name, entry)
      else if (unsupported !== undefined && Object.hasOwn(unsupported, entry.name)) {
        problem(entry.key, `${what}: ${unsupported[entry.name]}`)
      } else problem(entry.key, `${what}: unknown key ${entry.name}; known are ${keys.known.join(', ')}`)
    }
    return found
  }

  const items = (place: Place, what: string): readonly Place[] => {
    if (isSeq(place.node)) return place.node.items.map((item) => placeOf(item, place.offset))
    unexpected(place, what, 'a list')
    return []
  }

  const text = (place: Place, what: string): string | undefined => {
    const value = isScalar(place.node) ? place.node.value : undefined
    if (typeof value !== 'string') {
      unexpected(place, what, 'text')
      return undefined
    }
    if (value === '' || value.trim() !== value) {
      problem(place, `${what} must not be empty or begin or end with white space`)
      return undefined
    }
    if (unfitText.test(value)) {
      problem(place, `${what} has control characters`)
      return undefined
    }
    return value
  }

  const texts = (place: Place, what: string): readonly (readonly [string, Place])[] =>
    items(place, what).flatMap((item) => {
      const value = text(item, `an item of ${what}`)
      return value === undefined ? [] : [[value, item] as const]
    })

  const flag = (place: Place, what: string): boolean | undefined => {
    const value = isScalar(place.node) ? place.node.value : undefined
    if (typeof value === 'boolean') return value
    unexpected(place, what, 'true or false')
    return undefined
  }

  return { problems, problem, entries, fields, items, text, texts, flag }
}

/** Where a node of the parser stands; what it left out stands where its parent or key does. */
export function placeOf(node: unknown, fallback: number): Place {
  const found = (node ?? null) as Node | null
  return { node: found, offset: found?.range?.[0] ?? fallback }
}

function shapeOf(node: Node | null): string {
  if (isMap(node)) return 'a mapping'
  if (isSeq(node)) return 'a list'
  if (!isScalar(node) || node.value === null) return 'nothing'
  if (typeof node.value === 'string') return 'text'
  if (typeof node.value === 'boolean') return 'true or false (in quotes it is text)'
  return 'a number (in quotes it is text)'
}
