import { tables } from '../schema.ts'
import { type Engine, first, statement, type Values, type Work } from '../statement.ts'
import type { PolicyOperations } from '../store.ts'
import { recordChange } from './changes.ts'
import { recordEvent } from './events.ts'

type Publication = Parameters<PolicyOperations['publish']>[0]

const currentPolicy = statement(() =>
  tables
    .selectFrom('policies')
    .select(['number', 'digest', 'text', 'node', 'at'])
    .orderBy('number', 'desc')
    .limit(1),
)

const policyWithDigest = statement((slot: Values<{ digest: string }>) =>
  tables.selectFrom('policies').select('number').where('digest', '=', slot('digest')).limit(1),
)

const insertPolicy = statement((slot: Values<Publication>) =>
  tables
    .insertInto('policies')
    .values({ digest: slot('digest'), text: slot('text'), node: slot('node'), at: slot('now') })
    .returning('number'),
)

function* publish(policy: Publication): Work<Awaited<ReturnType<PolicyOperations['publish']>>> {
  const { digest, node, isEdit, now } = policy
  if ((yield* first(currentPolicy, {}))?.digest === digest) return 'current'
  if (!isEdit && (yield* first(policyWithDigest, { digest }))) return 'superseded'
  const stored = yield* first(insertPolicy, policy)
  if (stored === undefined) throw new Error('the policy was not stored')
  yield* recordChange('policy-published', String(stored.number), now)
  yield* recordEvent('policy.published', { policy: stored.number, digest, node }, now)
  return 'published'
}

export function policies(engine: Engine): PolicyOperations {
  return {
    current: () => engine.read(first(currentPolicy, {})),
    publish: (policy) => engine.atomically(publish(policy)),
  }
}
