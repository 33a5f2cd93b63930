import type { Asker } from './clause-index.ts'
import { type Clause, type ClauseList, isWanted, type Wanted } from './clause-list.ts'
import type { CompiledServer } from './compile-policy.ts'
import type { Answer, Condition, Facts } from './condition.ts'

/** How to take what is not known yet: `sure` where nothing unknown helps, `hoped` where everything unknown turns out well. */
export type View = 'sure' | 'hoped'

/**
 * The rows about one user and client, for one decision, or for several that differ in no more than the name they are about.
 * Conditions are evaluated when a row with one is looked at.
 */
export interface SettledClauses {
  /** The first row of the file that gives (or denies) what is wanted. */
  first(kind: 'may' | 'never', view: View, wanted: Wanted): Clause | undefined
  /** Whether there is such a row. */
  has(kind: 'may' | 'never', view: View, wanted: Wanted): boolean
  /** Rows that would give it but for their condition, in the order of the file, with words for the log. */
  without(wanted: Wanted): readonly { readonly clause: Clause; readonly why: string }[]
  /** Whether a condition came out unknown so far; while none has, both views say the same. */
  isUnsure(): boolean
  /** Whether the condition of the row could not be evaluated. */
  hasFailed(clause: Clause): boolean
}

/**
 * Finds the rows about this user and client. What cannot be evaluated gives nothing and denies everything (M27); `about` is
 * what is known of the call.
 */
export function settleClauses(
  entry: CompiledServer,
  who: Asker,
  about: Omit<Facts, 'user' | 'client'>,
): SettledClauses {
  const groups = entry.groupsOf(who.user.names)
  const lists = { may: entry.may.about(who, groups), never: entry.never.about(who, groups) }
  let facts: Facts | undefined
  let answers: Map<Condition, Answer> | undefined
  let isUnsure = false

  const answerOf = (condition: Condition): Answer => {
    const known = answers?.get(condition)
    if (known !== undefined) return known
    facts ??= { ...about, user: { ...who.user, groups: namesOf(who, groups) }, client: who.client }
    answers ??= new Map()
    const answer = condition.evaluate(facts)
    answers.set(condition, answer)
    if (answer.holds === 'unknown') isUnsure = true
    return answer
  }
  const applies = (kind: 'may' | 'never', view: View, { condition }: Clause): boolean => {
    if (condition === undefined) return true
    const { holds } = answerOf(condition)
    if (holds === 'unknown') return (kind === 'may') === (view === 'hoped')
    return holds === 'yes' || (holds === 'failed' && kind === 'never')
  }
  const find = (
    kind: 'may' | 'never',
    view: View,
    wanted: Wanted,
    which: 'first' | 'any',
  ): Clause | undefined => {
    let found: Clause | undefined
    for (const list of candidates(lists[kind], wanted)) {
      for (const clause of list) {
        if (found !== undefined && found.row <= clause.row) break
        if (!isWanted(clause, wanted, who.client) || !applies(kind, view, clause)) continue
        if (which === 'any') return clause
        found = clause
      }
    }
    return found
  }

  return {
    first: (kind, view, wanted) => find(kind, view, wanted, 'first'),
    has: (kind, view, wanted) => find(kind, view, wanted, 'any') !== undefined,
    without: (wanted) => {
      const rows = new Map<number, { readonly clause: Clause; readonly why: string }>()
      for (const clause of candidates(lists.may, wanted).flat()) {
        if (clause.condition === undefined || !isWanted(clause, wanted, who.client)) continue
        const why = whyWithout(answerOf(clause.condition))
        if (why !== undefined) rows.set(clause.row, { clause, why })
      }
      return [...rows.values()].sort((a, b) => a.clause.row - b.clause.row)
    },
    isUnsure: () => isUnsure,
    hasFailed: ({ condition }) => condition !== undefined && answerOf(condition).holds === 'failed',
  }
}

function candidates(lists: readonly ClauseList[], wanted: Wanted): readonly (readonly Clause[])[] {
  const found: (readonly Clause[])[] = []
  for (const list of lists) list.find(wanted, found)
  return found
}

const namesOf = (who: Asker, groups: readonly string[]): readonly string[] => [
  ...new Set([...who.user.groups, ...groups]),
]

function whyWithout(answer: Answer): string | undefined {
  if (answer.holds === 'no') return 'its when does not hold'
  return answer.holds === 'failed' ? `its when cannot be evaluated (${answer.why})` : undefined
}
