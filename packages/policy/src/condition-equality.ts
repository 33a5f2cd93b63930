import { Environment, EvaluationError } from '@marcbachmann/cel-js'
import { UnsignedInt } from '@marcbachmann/cel-js/evaluator'

/**
 * Whether two values are equal, of which an argument may be one. Values of different types, also within lists
 * and mappings, are not just unequal: they cannot be compared, since the server may take the one for the
 * other (M17). This throws for them.
 */
export function isSame(left: unknown, right: unknown): boolean {
  const kind = kindOf(left)
  if (kind !== kindOf(right)) throw incomparable()
  if (kind === 'list') return isSameList(left as readonly unknown[], right as readonly unknown[])
  if (kind === 'mapping') return isSameMapping(fieldsOf(left as object), fieldsOf(right as object))
  return left === right || (kind !== 'string' && looselyEqual({ left, right }) === true)
}

/**
 * The operator `in`: among the items of a list, each of which must be of the same type, or the names of a
 * mapping.
 */
export function isAmong(value: unknown, all: unknown): boolean {
  const kind = kindOf(all)
  if (kind === 'list') return (all as readonly unknown[]).map((item) => isSame(value, item)).includes(true)
  if (kind !== 'mapping' || typeof value !== 'string') throw incomparable()
  return fieldsOf(all as object).has(value)
}

/**
 * The macro `has`, for mappings alone: that a list or a text has no such field says nothing about the call.
 */
export function hasField(of: unknown, name: string): boolean {
  if (kindOf(of) !== 'mapping') throw incomparable()
  // Not by `has`: the library makes the fields of `user` and `client` only when they are asked for.
  return fieldsOf(of as object).get(name) !== undefined
}

// Numbers of several kinds, times, durations and types, in which the library knows best what is equal.
const looselyEqual = new Environment()
  .registerVariable('left', 'dyn')
  .registerVariable('right', 'dyn')
  .parse('left == right')

function isSameList(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((item, at) => isSame(item, right[at]))
}

function isSameMapping(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>): boolean {
  if (left.size !== right.size) return false
  return [...left].every(([name, value]) => right.has(name) && isSame(value, right.get(name)))
}

/** Arguments are Maps, and mappings that stand in the expression plain objects. */
function fieldsOf(value: object): ReadonlyMap<string, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value))
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'list'
  if (value instanceof Map) return 'mapping'
  if (typeof value === 'bigint' || value instanceof UnsignedInt) return 'number'
  // What is null is an 'object' then, and nothing else is.
  if (typeof value !== 'object' || value === null) return typeof value
  return Object.getPrototypeOf(value) === Object.prototype ? 'mapping' : value.constructor.name
}

const incomparable = (): EvaluationError =>
  new EvaluationError({ code: 'different_types', message: 'values of different types cannot be compared' })
