import type { Pattern } from './pattern.ts'

/** Things that stand under patterns, found by how their patterns begin and end. */
export interface PatternIndex<Thing> {
  add(pattern: Pattern, thing: Thing): void
  /**
   * Everything whose pattern could match the value, as lists in the order of adding: nothing that matches is missing, and what
   * does not match may be among it.
   */
  near(value: string): readonly (readonly Thing[])[]
}

/** Lists by text of several lengths: a look-up tries each length that occurs, which in a real file are few. */
interface Table<Value> {
  readonly lengths: number[]
  readonly byText: Map<string, Value>
}

/**
 * Makes an empty index. A look-up costs one Map access for each length that the beginnings have, and then for each that the
 * ends have, however many patterns there are; only patterns that begin and end alike are told apart one by one.
 */
export function makePatternIndex<Thing>(): PatternIndex<Thing> {
  const starts = makeTable<Table<Thing[]>>()
  return {
    add: ({ start, end }, thing) => {
      const ends = valueAt(starts, start, () => makeTable<Thing[]>())
      valueAt(ends, end, () => []).push(thing)
    },
    near: (value) => {
      const found: Thing[][] = []
      for (const length of starts.lengths) {
        if (length > value.length) continue
        const ends = starts.byText.get(value.slice(0, length))
        if (ends !== undefined) takeEnds(ends, value, value.length - length, found)
      }
      return found
    },
  }
}

function takeEnds<Thing>(ends: Table<Thing[]>, value: string, most: number, found: Thing[][]): void {
  for (const length of ends.lengths) {
    if (length > most) continue
    const things = ends.byText.get(value.slice(value.length - length))
    if (things !== undefined) found.push(things)
  }
}

const makeTable = <Value>(): Table<Value> => ({ lengths: [], byText: new Map() })

function valueAt<Value>(table: Table<Value>, text: string, make: () => Value): Value {
  const known = table.byText.get(text)
  if (known !== undefined) return known
  const value = make()
  table.byText.set(text, value)
  if (!table.lengths.includes(text.length)) table.lengths.push(text.length)
  return value
}
