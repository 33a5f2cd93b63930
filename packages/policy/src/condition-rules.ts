import type { ASTNode } from '@marcbachmann/cel-js'
import { makeShape, type Shape, type ValueType } from './condition-arguments.ts'

/** What is wrong with a `when`; `at` counts characters of the expression from 0. */
export interface ConditionProblem {
  readonly at: number
  readonly message: string
}

/** What is known of a condition without evaluating it. */
export interface ConditionRules {
  readonly uses: ReadonlySet<string>
  readonly shape: Shape
  readonly hasLoop: boolean
}

const loops: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'filter', 'map'])

// Not among them: `matches` (regular expressions can be made to run for ever), `bind` and `json` (values grow), and the
// functions that change case, which here fold letters beyond ASCII too.
const functions: ReadonlySet<string> = new Set([
  ...loops,
  ...['has', 'size', 'string', 'int', 'uint', 'double', 'bool', 'type', 'timestamp', 'duration'],
  ...['contains', 'startsWith', 'endsWith', 'indexOf', 'lastIndexOf', 'substring', 'trim', 'split', 'join'],
  ...['getFullYear', 'getMonth', 'getDate', 'getDayOfMonth', 'getDayOfWeek', 'getDayOfYear'],
  ...['getHours', 'getMinutes', 'getSeconds', 'getMilliseconds'],
])

const comparisons: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>='])

/** Where loop variables stand for elements of arguments. */
type Scope = ReadonlyMap<string, Shape | undefined>

/** Walks over the expression: refuses what is not bounded, and finds out which types it expects of arguments. */
export function checkCondition(root: ASTNode): ConditionRules | ConditionProblem {
  const uses = new Set<string>()
  const shape = makeShape()
  let hasLoop = false
  let problem: ConditionProblem | undefined

  /** The place in the shape that an access such as `args.a["b"][0]` means; undefined for everything else. */
  const placeOf = (node: ASTNode, scope: Scope): Shape | undefined => {
    if (node.op === 'id') return scope.has(node.args) ? scope.get(node.args) : rootOf(node.args)
    if (node.op === '.') return fieldOf(placeOf(node.args[0], scope), node.args[1])
    if (node.op !== '[]') return undefined
    const [of, key] = node.args
    const place = placeOf(of, scope)
    if (place === undefined) return undefined
    return key.op === 'value' && typeof key.args === 'string' ? fieldOf(place, key.args) : elementOf(place)
  }
  const rootOf = (name: string): Shape | undefined => (name === 'args' ? shape : undefined)

  const expect = (node: ASTNode, types: readonly ValueType[], scope: Scope): void => {
    if (types.length === 0) return
    const place = placeOf(node, scope)
    for (const type of types) place?.types.add(type)
  }

  const expectOperands = (node: ASTNode, scope: Scope): void => {
    if (comparisons.has(node.op)) {
      const [left, right] = node.args as readonly [ASTNode, ASTNode]
      expect(left, typesOf(right), scope)
      expect(right, typesOf(left), scope)
    }
    if (node.op === 'in') {
      const [left, right] = node.args
      expect(left, elementTypesOf(right), scope)
      const place = placeOf(right, scope)
      if (place !== undefined) {
        place.isSearched = true
        for (const type of typesOf(left)) elementOf(place).types.add(type)
      }
    }
  }

  const walkLoop = (
    node: ASTNode,
    receiver: ASTNode,
    args: readonly ASTNode[],
    scope: Scope,
    inLoop: boolean,
  ): void => {
    hasLoop = true
    if (inLoop) problem ??= { at: node.start, message: 'a loop within a loop is not supported' }
    walk(receiver, scope, inLoop)
    const [variable, ...bodies] = args
    const place = placeOf(receiver, scope)
    const name = variable?.op === 'id' ? variable.args : ''
    const inner = new Map(scope).set(name, place && elementOf(place))
    for (const body of bodies) walk(body, inner, true)
  }

  const walk = (node: ASTNode, scope: Scope, inLoop: boolean): void => {
    if (node.op === 'id' && !scope.has(node.args)) uses.add(node.args)
    if (node.op === 'call' || node.op === 'rcall') {
      const name = node.args[0]
      if (!functions.has(name)) problem ??= { at: node.start, message: unsupported(name) }
      if (node.op === 'rcall' && loops.has(name)) {
        walkLoop(node, node.args[1], node.args[2], scope, inLoop)
        return
      }
    }
    expectOperands(node, scope)
    for (const child of childrenOf(node.args)) walk(child, scope, inLoop)
  }

  walk(root, new Map(), false)
  return problem ?? { uses, shape, hasLoop }
}

function unsupported(name: string): string {
  const instead =
    name === 'matches'
      ? ', because regular expressions can be made to run for ever; use startsWith, endsWith or contains'
      : ''
  return `the function ${name} is not supported in a condition${instead}`
}

function fieldOf(place: Shape | undefined, name: string): Shape | undefined {
  if (place === undefined) return undefined
  const field = place.fields.get(name) ?? makeShape()
  place.fields.set(name, field)
  return field
}

function elementOf(place: Shape): Shape {
  place.element ??= makeShape()
  return place.element
}

/** The type of a value that does not come from the arguments; none where it cannot be told. */
function typesOf(node: ASTNode): readonly ValueType[] {
  switch (node.op) {
    case 'value':
      return [literalType(node.args)]
    case '.':
      return node.args[0].op === 'id' && ['user', 'client'].includes(node.args[0].args) ? ['string'] : []
    case '+': {
      const left = typesOf(node.args[0])
      return left.length > 0 ? left : typesOf(node.args[1])
    }
    case '-_':
      return ['number']
    case 'call':
    case 'rcall':
      if (['string', 'trim', 'substring', 'join'].includes(node.args[0])) return ['string']
      return ['size', 'int', 'uint', 'double', 'indexOf', 'lastIndexOf'].includes(node.args[0])
        ? ['number']
        : []
    default:
      return []
  }
}

function elementTypesOf(node: ASTNode): readonly ValueType[] {
  if (node.op === 'list') return node.args.flatMap(typesOf)
  return typesOf(node)
}

function literalType(value: unknown): ValueType {
  if (value === null) return 'null'
  if (typeof value === 'string') return 'string'
  return typeof value === 'boolean' ? 'boolean' : 'number'
}

function childrenOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}
