import { tables } from '../schema.ts'
import { first, statement, type Values, type Work } from '../statement.ts'
import type { Grant } from '../store.ts'

/** What a query selects for `readGrant`. */
export const grantColumns = [
  'grants.id',
  'grants.user_id',
  'grants.client_id',
  'grants.client_class',
  'grants.resource',
  'grants.scopes',
  'grants.client_name',
  'grants.redirect_host',
  'grants.signed_in_at',
  'grants.created_at',
  'grants.revoked_at',
  'grants.revoked_because',
] as const

interface GrantRow {
  readonly id: string
  readonly user_id: string
  readonly client_id: string
  readonly client_class: string
  readonly resource: string
  readonly scopes: string
  readonly client_name: string
  readonly redirect_host: string
  readonly signed_in_at: number
  readonly created_at: number
  readonly revoked_at: number | null
  readonly revoked_because: string | null
}

const selectGrant = statement((slot: Values<{ id: string }>) =>
  tables.selectFrom('grants').select(grantColumns).where('grants.id', '=', slot('id')),
)

export function readGrant(row: GrantRow): Grant {
  return {
    id: row.id,
    userId: row.user_id,
    clientId: row.client_id,
    clientClass: row.client_class,
    resource: row.resource,
    scopes: JSON.parse(row.scopes) as readonly string[],
    clientName: row.client_name,
    redirectHost: row.redirect_host,
    signedInAt: row.signed_in_at,
    createdAt: row.created_at,
    revokedAt: row.revoked_at ?? undefined,
    revokedBecause: row.revoked_because ?? undefined,
  }
}

export function* findGrant(id: string): Work<Grant | undefined> {
  const row = yield* first(selectGrant, { id })
  return row && readGrant(row)
}

/** For an id that a foreign key vouches for. */
export function* loadGrant(id: string): Work<Grant> {
  const grant = yield* findGrant(id)
  if (grant === undefined) throw new Error('a grant that is referred to is gone')
  return grant
}
