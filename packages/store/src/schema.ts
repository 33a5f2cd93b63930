import type { Generated } from 'kysely'
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { Change } from './records/changes.ts'

/** The tables as `migrations.ts` makes them. Times are milliseconds since the epoch; `null` means "did not happen". */
export interface Tables {
  users: {
    id: string
    email: string
    role: 'owner' | 'user'
    password_hash: string
    created_at: number
    disabled_at: number | null
  }
  owner_links: { hash: string; expires_at: number; created_at: number }
  login_failures: { key: string; failures: number; last_at: number; blocked_until: number }
  clients: {
    id: string
    kind: 'self-registered' | 'pre-registered'
    metadata: string
    created_at: number
    disabled_at: number | null
    /** Of a self-registered one; by then somebody has vouched for it. */
    first_granted_at: number | null
  }
  client_documents: {
    url: string
    body: string
    etag: string | null
    fetched_at: number
    fresh_until: number
  }
  transactions: {
    number: Generated<number>
    id: string
    client_id: string
    /** From where it was begun, as the server names addresses; empty where it did not say. */
    peer: string
    request: string
    browser_hash: string
    form_hash: string
    user_id: string | null
    signed_in_at: number | null
    created_at: number
    expires_at: number
  }
  consents: {
    user_id: string
    client_id: string
    redirect_host: string
    resource: string
    scope: string
    decision: 'granted' | 'declined'
    at: number
    /** What the client was when this was said; empty where nobody looks at that. */
    client_digest: string
  }
  sessions: { hash: string; user_id: string; signed_in_at: number; expires_at: number }
  grants: {
    id: string
    user_id: string
    client_id: string
    client_class: string
    resource: string
    /** JSON array, in the order granted. */
    scopes: string
    /** As the client called itself when the user consented; empty in grants that are older than this column. */
    client_name: string
    /** Where the code went, as `consents` names it; empty in grants that are older than this column. */
    redirect_host: string
    signed_in_at: number
    created_at: number
    revoked_at: number | null
    revoked_because: string | null
  }
  codes: {
    hash: string
    grant_id: string
    redirect_uri: string
    challenge: string
    expires_at: number
    redeemed_at: number | null
    wrong_verifiers: number
  }
  refresh_tokens: {
    hash: string
    grant_id: string
    expires_at: number
    used_at: number | null
    successor_hash: string | null
    sealed_successor: string | null
    sealed_until: number | null
  }
  signing_keys: {
    kid: string
    algorithm: 'ES256'
    public_jwk: string
    sealed_private_jwk: string
    created_at: number
  }
  /** Exactly one row. */
  change_counter: { id: number; number: number }
  changes: { number: number; kind: ChangeKind; subject: string; at: number; until: number }
  events: { number: Generated<number>; at: number; kind: string; details: string }
  policies: { number: Generated<number>; digest: string; text: string; node: string; at: number }
}

export type ChangeKind = Change['kind']

/** Builds queries and runs none. What they have in common is said in no dialect, so the one named here does not matter. */
export const tables: Kysely<Tables> = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (database) => new SqliteIntrospector(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})
