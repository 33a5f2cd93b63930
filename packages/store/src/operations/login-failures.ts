import { tables } from '../schema.ts'
import { all, type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { UserOperations } from '../store.ts'

/** The fifth failure blocks for 1 s, each further one for twice as long, up to 15 minutes. */
const freeFailures = 4
const longestBlockMs = 15 * 60 * 1000

/** An hour after the last failure all are forgotten. */
export const rememberedFailuresMs: number = 60 * 60 * 1000

const countFailure = statement((slot: Values<{ key: string; now: number; forgetBefore: number }>) =>
  tables
    .insertInto('login_failures')
    .values({ key: slot('key'), failures: 1, last_at: slot('now'), blocked_until: 0 })
    .onConflict((conflict) =>
      conflict.column('key').doUpdateSet((row) => ({
        failures: row
          .case()
          .when('login_failures.last_at', '>', slot('forgetBefore'))
          .then(row('login_failures.failures', '+', 1))
          .else(1)
          .end(),
        last_at: row.ref('excluded.last_at'),
      })),
    )
    .returning('failures'),
)

const block = statement((slot: Values<{ key: string; until: number }>) =>
  tables
    .updateTable('login_failures')
    .set({ blocked_until: slot('until') })
    .where('key', '=', slot('key')),
)

const blockedUntil = statement((slot: Values<{ key: string }>) =>
  tables.selectFrom('login_failures').select('blocked_until as until').where('key', '=', slot('key')),
)

const forget = statement((slot: Values<{ key: string }>) =>
  tables.deleteFrom('login_failures').where('key', '=', slot('key')),
)

function* count(key: string, now: number): Work<number> {
  const counted = yield* first(countFailure, { key, now, forgetBefore: now - rememberedFailuresMs })
  if (counted === undefined) throw new Error('the failure was not counted')
  const { failures } = counted
  const blockMs =
    failures <= freeFailures ? 0 : Math.min(2 ** (failures - freeFailures - 1) * 1000, longestBlockMs)
  yield* all(block, { key, until: blockMs === 0 ? 0 : now + blockMs })
  return failures
}

export type LoginFailureOperations = Pick<
  UserOperations,
  'countLoginFailure' | 'loadLoginBlock' | 'clearLoginFailures'
>

export function loginFailures(engine: Engine): LoginFailureOperations {
  return {
    countLoginFailure: (key, now) => engine.atomically(count(key, now)),
    async loadLoginBlock(key, now) {
      const wait = ((await engine.read(first(blockedUntil, { key })))?.until ?? 0) - now
      // What is farther away was set by a clock that was wrong, and would keep the user out until that time comes.
      return wait > longestBlockMs ? 0 : Math.max(0, wait)
    },
    async clearLoginFailures(key) {
      await engine.atomically(all(forget, { key }))
    },
  }
}
