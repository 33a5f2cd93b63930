import type { ASTNode } from '@marcbachmann/cel-js'

/** What is wrong with a `when`; `at` counts characters of the expression from 0. */
export interface ConditionProblem {
  readonly at: number
  readonly message: string
}

/** What is known of a condition without evaluating it. */
export interface ConditionRules {
  readonly uses: ReadonlySet<string>
  /** The names of which it asks whether they are there. */
  readonly asked: ReadonlySet<string>
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

/** What costs as much as a whole list or text is long, and so may not be done for each item of another one. */
const costly: ReadonlySet<string> = new Set(['split', 'join'])

/** Walks over the expression: refuses what is not bounded, and finds out what it looks at. */
export function checkCondition(root: ASTNode): ConditionRules | ConditionProblem {
  const uses = new Set<string>()
  const asked = new Set<string>()
  let hasLoop = false
  let problem: ConditionProblem | undefined

  /** `bound`: the variables of loops around the node. */
  const walk = (node: ASTNode, bound: ReadonlySet<string>, inLoop: boolean): void => {
    if (node.op === 'id' && !bound.has(node.args)) uses.add(node.args)
    const name = nameAskedFor(node)
    if (name !== undefined) asked.add(name)
    if (node.op === 'call' || node.op === 'rcall') {
      const message = checkCall(node.args[0], inLoop)
      if (message !== undefined) problem ??= { at: node.start, message }
      if (node.op === 'rcall' && loops.has(node.args[0])) {
        walkLoop(node.args[1], node.args[2], bound, inLoop)
        return
      }
    }
    for (const child of childrenOf(node.args)) walk(child, bound, inLoop)
  }

  const walkLoop = (
    receiver: ASTNode,
    [variable, ...bodies]: readonly ASTNode[],
    bound: ReadonlySet<string>,
    inLoop: boolean,
  ): void => {
    hasLoop = true
    walk(receiver, bound, inLoop)
    const inner = variable?.op === 'id' ? new Set([...bound, variable.args]) : bound
    for (const body of bodies) walk(body, inner, true)
  }

  walk(root, new Set(), false)
  return problem ?? { uses, asked, hasLoop }
}

function checkCall(name: string, inLoop: boolean): string | undefined {
  if (!functions.has(name)) return unsupported(name)
  if (inLoop && loops.has(name)) return 'a loop within a loop is not supported'
  if (inLoop && costly.has(name)) return `${name} within a loop is not supported, since it runs for each item`
  return undefined
}

function unsupported(name: string): string {
  const instead =
    name === 'matches'
      ? ', because regular expressions can be made to run for ever; use startsWith, endsWith or contains'
      : ''
  return `the function ${name} is not supported in a condition${instead}`
}

/** Of `has(args.a)` and `"a" in args`, where what is missing is an answer; elsewhere it is an error. */
function nameAskedFor(node: ASTNode): string | undefined {
  if (node.op === 'call' && node.args[0] === 'has') {
    const [field] = node.args[1]
    return field?.op === '.' ? field.args[1] : undefined
  }
  const name = node.op === 'in' ? node.args[0].args : undefined
  return typeof name === 'string' ? name : undefined
}

function childrenOf(args: unknown): readonly ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf)
  return typeof args === 'object' && args !== null && 'op' in args ? [args as ASTNode] : []
}
