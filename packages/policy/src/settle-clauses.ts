import type { Asker, Clause } from './clause-index.ts'
import type { CompiledServer } from './compile-policy.ts'
import type { Answer, Facts } from './condition.ts'

/** Which rows apply: `sure` where nothing unknown helps, `hoped` where everything unknown turns out well. */
export interface Settled {
  readonly may: readonly Clause[]
  readonly never: readonly Clause[]
}

/** The rows about a user and client once their conditions are evaluated. */
export interface SettledClauses {
  readonly sure: Settled
  /** The same object as `sure` when nothing was unknown. */
  readonly hoped: Settled
  /** Rows that would give access but for their condition, with words for the log. */
  readonly without: readonly { readonly clause: Clause; readonly why: string }[]
  /** Rows whose `never` applies because its condition could not be evaluated. */
  readonly failed: ReadonlySet<Clause>
}

/**
 * Evaluates the conditions of the rows about this user and client. What cannot be evaluated gives nothing and denies
 * everything (M27).
 */
export function settleClauses(
  entry: CompiledServer,
  who: Asker,
  about: Omit<Facts, 'user' | 'client'>,
): SettledClauses {
  const may = entry.may.about(who)
  const never = entry.never.about(who)
  if (!may.some(isConditional) && !never.some(isConditional)) {
    const sure = { may, never }
    return { sure, hoped: sure, without: [], failed: new Set() }
  }
  const groups = [...new Set([...who.user.groups, ...entry.groupsOf(who.user.names)])]
  const facts: Facts = { ...about, user: { ...who.user, groups }, client: who.client }
  return settle(may, never, facts)
}

function settle(may: readonly Clause[], never: readonly Clause[], facts: Facts): SettledClauses {
  const mays = may.map((clause) => ({ clause, answer: answerOf(clause, facts) }))
  const nevers = never.map((clause) => ({ clause, answer: answerOf(clause, facts) }))
  const sure = {
    may: clausesOf(mays, ['yes']),
    never: clausesOf(nevers, ['yes', 'failed', 'unknown']),
  }
  const hoped = {
    may: clausesOf(mays, ['yes', 'unknown']),
    never: clausesOf(nevers, ['yes', 'failed']),
  }
  const isCertain = sure.may.length === hoped.may.length && sure.never.length === hoped.never.length
  return {
    sure,
    hoped: isCertain ? sure : hoped,
    without: mays.flatMap(({ clause, answer }) => {
      const why = whyWithout(answer)
      return why === undefined ? [] : [{ clause, why }]
    }),
    failed: new Set(clausesOf(nevers, ['failed'])),
  }
}

const answerOf = (clause: Clause, facts: Facts): Answer =>
  clause.condition === undefined ? { holds: 'yes' } : clause.condition.evaluate(facts)

const clausesOf = (
  answered: readonly { readonly clause: Clause; readonly answer: Answer }[],
  wanted: readonly Answer['holds'][],
): readonly Clause[] =>
  answered.filter(({ answer }) => wanted.includes(answer.holds)).map(({ clause }) => clause)

function whyWithout(answer: Answer): string | undefined {
  if (answer.holds === 'no') return 'its when does not hold'
  return answer.holds === 'failed' ? `its when cannot be evaluated (${answer.why})` : undefined
}

const isConditional = (clause: Clause): boolean => clause.condition !== undefined
