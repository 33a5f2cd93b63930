/** Of which type the arguments must be where a condition compares them; `element` is any item of a list or mapping. */
export interface Shape {
  readonly types: Set<ValueType>
  readonly fields: Map<string, Shape>
  element: Shape | undefined
  /** Whether `in` looks through the list: it takes an item that cannot be used for just another one. */
  isSearched: boolean
}

export type ValueType = 'string' | 'number' | 'boolean' | 'null'

export const makeShape = (): Shape => ({
  types: new Set(),
  fields: new Map(),
  element: undefined,
  isSearched: false,
})

// A loop costs the number of items times the size of what it looks at, so both are bounded.
const maxItems = 1_000
const maxCharacters = 100_000
const maxDepth = 100

/** No operator and no function of the library takes it, so whatever touches it cannot be evaluated. */
const unusable = Symbol('unusable')

/**
 * The arguments of a call as the condition sees them: mappings as Maps, so that no key is special, and values of a type that
 * the condition does not expect as something that cannot be used. Undefined: too large for a condition with loops, or nested
 * too deep for any.
 */
export function makeConditionArguments(
  args: Readonly<Record<string, unknown>>,
  shape: Shape,
  hasLoop: boolean,
): ReadonlyMap<string, unknown> | undefined {
  let items = 0
  let characters = 0
  let isTooMuch = false

  const copy = (value: unknown, fits: Shape | undefined, depth: number): unknown => {
    items += 1
    if (typeof value === 'string') characters += value.length
    if (depth > maxDepth || (hasLoop && (items > maxItems || characters > maxCharacters))) isTooMuch = true
    if (isTooMuch) return unusable
    if (fits !== undefined && fits.types.size > 0 && !fits.types.has(typeOf(value) as ValueType))
      return unusable
    if (Array.isArray(value)) return copyItems(value, fits, depth)
    if (typeof value === 'object' && value !== null) return copyFields(value, fits, depth)
    return isScalar(value) ? value : unusable
  }

  const copyItems = (value: readonly unknown[], fits: Shape | undefined, depth: number): unknown => {
    const all = value.map((item) => copy(item, fits?.element, depth + 1))
    return fits?.isSearched === true && all.includes(unusable) ? unusable : all
  }

  const copyFields = (value: object, fits: Shape | undefined, depth: number): Map<string, unknown> => {
    const fields = new Map<string, unknown>()
    for (const [name, item] of Object.entries(value)) {
      characters += name.length
      fields.set(name, copy(item, fits?.fields.get(name) ?? fits?.element, depth + 1))
    }
    return fields
  }

  const read = copyFields(args, shape, 0)
  return isTooMuch ? undefined : read
}

const typeOf = (value: unknown): string => (value === null ? 'null' : typeof value)

const isScalar = (value: unknown): boolean => ['string', 'number', 'boolean', 'null'].includes(typeOf(value))
