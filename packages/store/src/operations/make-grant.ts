import { tables } from '../schema.ts'
import { all, statement, type Values, type Work } from '../statement.ts'
import type { NewCode, NewGrant } from '../store.ts'
import { noteFirstGrant } from './never-granted.ts'

interface GrantFields extends Omit<NewGrant, 'scopes'> {
  readonly scopes: string
  readonly clientName: string
  readonly redirectHost: string
  readonly signedInAt: number
  readonly now: number
}

const insertGrant = statement((slot: Values<GrantFields>) =>
  tables.insertInto('grants').values({
    id: slot('id'),
    user_id: slot('userId'),
    client_id: slot('clientId'),
    client_class: slot('clientClass'),
    resource: slot('resource'),
    scopes: slot('scopes'),
    client_name: slot('clientName'),
    redirect_host: slot('redirectHost'),
    signed_in_at: slot('signedInAt'),
    created_at: slot('now'),
    revoked_at: null,
    revoked_because: null,
  }),
)

const insertCode = statement((slot: Values<NewCode & { grantId: string }>) =>
  tables.insertInto('codes').values({
    hash: slot('hash'),
    grant_id: slot('grantId'),
    redirect_uri: slot('redirectUri'),
    challenge: slot('challenge'),
    expires_at: slot('expiresAt'),
    redeemed_at: null,
    wrong_verifiers: 0,
  }),
)

/** Makes a grant and its code as part of an operation that has consumed what earned them. */
export function* makeGrant(
  grant: NewGrant,
  code: NewCode,
  { signedInAt, now }: { readonly signedInAt: number; readonly now: number },
): Work<void> {
  const { clientName = '', redirectHost = '' } = grant
  const scopes = JSON.stringify(grant.scopes)
  yield* all(insertGrant, { ...grant, clientName, redirectHost, scopes, signedInAt, now })
  yield* all(insertCode, { ...code, grantId: grant.id })
  yield* noteFirstGrant(grant.clientId, now)
}
