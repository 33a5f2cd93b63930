import { tables } from '../schema.ts'
import { all, type Engine, statement, type Values, type Work } from '../statement.ts'
import type { KeyOperations, SigningKey } from '../store.ts'
import { recordEvent } from './events.ts'

const selectKeys = statement(() =>
  tables
    .selectFrom('signing_keys')
    .select([
      'kid',
      'algorithm',
      'public_jwk as publicJwk',
      'sealed_private_jwk as sealedPrivateJwk',
      'created_at as createdAt',
    ])
    .orderBy('created_at')
    .orderBy('kid'),
)

const insertKey = statement((slot: Values<SigningKey>) =>
  tables.insertInto('signing_keys').values({
    kid: slot('kid'),
    algorithm: slot('algorithm'),
    public_jwk: slot('publicJwk'),
    sealed_private_jwk: slot('sealedPrivateJwk'),
    created_at: slot('createdAt'),
  }),
)

function* addFirst(key: SigningKey): Work<readonly SigningKey[]> {
  const standing = yield* all(selectKeys, {})
  if (standing.length > 0) return standing
  yield* all(insertKey, key)
  yield* recordEvent('key.made', { kid: key.kid, algorithm: key.algorithm }, key.createdAt)
  return yield* all(selectKeys, {})
}

export function keys(engine: Engine): KeyOperations {
  return {
    list: () => engine.read(all(selectKeys, {})),
    addFirst: (key) => engine.atomically(addFirst(key)),
  }
}
