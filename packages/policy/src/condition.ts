import type { ASTNode } from '@marcbachmann/cel-js'
import { makeConditionArguments } from './condition-arguments.ts'
import { makeConditionEnvironment } from './condition-environment.ts'
import { type ConditionProblem, type ConditionRules, checkCondition } from './condition-rules.ts'
import { parseStrictly } from './condition-strict.ts'
import type { ClientIdentity, UserIdentity } from './principal.ts'

/** What a condition can look at. What is in `unknown` will be known at a call; what is neither given nor there never will. */
export interface Facts {
  readonly user: UserIdentity
  readonly client: ClientIdentity
  readonly args?: Readonly<Record<string, unknown>> | undefined
  /** Milliseconds since the epoch. */
  readonly now?: number | undefined
  readonly unknown: ReadonlySet<'args' | 'time'>
}

/** `unknown`: depends on something that only a call knows. `failed`: cannot be evaluated, with a reason that repeats no values. */
export type Answer =
  | { readonly holds: 'yes' | 'no' | 'unknown' }
  | { readonly holds: 'failed'; readonly why: string }

/** A `when`, parsed and checked. */
export interface Condition {
  /** Never throws. */
  evaluate(facts: Facts): Answer
}

const maxCharacters = 2_000

const environment = makeConditionEnvironment(1)

/**
 * Parses and type-checks a condition in CEL (Common Expression Language) over `args`, `user`, `client` and `time`.
 *
 * Bounded: no regular expressions, no loops within loops, no functions but those of `condition-rules.ts`, at most 2,000
 * characters; loops only over arguments of moderate size. Strict: where values of different types are compared, it cannot be
 * evaluated, instead of their being just different (M17).
 */
export function compileCondition(expression: string): Condition | ConditionProblem {
  if (expression.length > maxCharacters) {
    return { at: 0, message: `a condition has at most ${maxCharacters} characters` }
  }
  try {
    const parsed = environment.parse(expression)
    const root = parsed.ast as ASTNode
    const rules = checkCondition(root)
    if ('message' in rules) return rules
    const checked = parsed.check()
    if (!checked.valid) return readProblem(checked.error)
    if (checked.type !== 'bool' && checked.type !== 'dyn') {
      return { at: 0, message: `a condition is true or false, and this is of type ${checked.type}` }
    }
    return makeCondition(parseStrictly(root), rules)
  } catch (error) {
    return readProblem(error)
  }
}

function makeCondition(
  run: (context: Record<string, unknown>) => unknown,
  { uses, asked, hasLoop }: ConditionRules,
): Condition {
  return {
    evaluate: ({ user, client, args, now, unknown }) => {
      // What is left out is an error in the expression, and one that `false && …` and `true || …` outlive.
      const context: Record<string, unknown> = { user, client }
      if (now !== undefined) context['time'] = new Date(now)
      const read =
        args !== undefined && uses.has('args') ? makeConditionArguments(args, asked, hasLoop) : undefined
      if (typeof read === 'object') context['args'] = read
      try {
        const result = run(context)
        if (typeof result === 'boolean') return { holds: result ? 'yes' : 'no' }
        return { holds: 'failed', why: 'the result is neither true nor false' }
      } catch (error) {
        if ([...unknown].some((name) => uses.has(name))) return { holds: 'unknown' }
        return { holds: 'failed', why: typeof read === 'string' ? read : codeOf(error) }
      }
    },
  }
}

/** A condition that nobody could check is one that can never be evaluated. */
export const brokenCondition: Condition = {
  evaluate: () => ({ holds: 'failed', why: 'it is no valid condition' }),
}

/** The library's message can repeat values of arguments, which do not belong in a log; its code cannot. */
function codeOf(error: unknown): string {
  const code: unknown = (error as { code?: unknown }).code
  return typeof code === 'string' ? code.replaceAll('_', ' ') : 'evaluation failed'
}

function readProblem(error: unknown): ConditionProblem {
  const { summary, range } = (error ?? {}) as { summary?: unknown; range?: { start?: unknown } }
  const at = typeof range?.start === 'number' ? range.start : 0
  return { at, message: typeof summary === 'string' ? summary : 'this is no valid condition' }
}
