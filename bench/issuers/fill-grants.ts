import { createHash } from 'node:crypto'
import Database from 'better-sqlite3'
import { redirectUri, resource } from './issuer.ts'
import { challenge } from './person.ts'

/** So many refresh tokens, and so many codes that nobody has redeemed, are there to be used once each. */
export const filledSecrets = 40_000
/** One of the refresh tokens, by its number from 1. */
export const filledToken = (number: number): string => `wrt_bench-${number}`
/** One of the codes, by its number from 1. */
export const filledCode = (number: number): string => `wac_bench-${number}`

/**
 * Writes grants into a database file, past all operations, as they stand hours after they were made, one a millisecond: each with its
 * redeemed code and a live refresh token. Keys are hashes, so neighbours in number lie on different pages of the file.
 */
export function fillGrants(
  file: string,
  given: { readonly userId: string; readonly clientId: string; readonly count: number },
): void {
  const { count } = given
  const now = Date.now()
  const values = {
    ...given,
    resource,
    redirectUri,
    challenge,
    now,
    earlier: now - 7_200_000,
    later: now + 86_400_000,
  }
  const database = new Database(file)
  database.pragma('synchronous = OFF')
  database.pragma('cache_size = -500000')
  database.function('hash_of', (text) => createHash('sha256').update(String(text)).digest('base64url'))
  const numbers = (most: number): string =>
    `with recursive numbers (number) as
      (select 1 union all select number + 1 from numbers where number < ${most})`
  const grant = `'wgr_' || hash_of(number % @count)`
  const run = (sql: string): void => void database.prepare(sql).run(values)
  database.transaction(() => {
    run(`insert into grants (id, user_id, client_id, client_class, resource, scopes, client_name, redirect_host,
        signed_in_at, created_at)
      ${numbers(count)}
      select ${grant}, @userId, @clientId, 'pre-registered', @resource, '["everything:read"]', 'Bench',
        'client.bench.test', @earlier - number, @earlier - number from numbers`)
    run(`insert into codes (hash, grant_id, redirect_uri, challenge, expires_at, redeemed_at, wrong_verifiers)
      ${numbers(count)}
      select hash_of('redeemed' || number), ${grant}, @redirectUri, @challenge, @earlier - number, @earlier - number, 0 from numbers`)
    run(`insert into codes (hash, grant_id, redirect_uri, challenge, expires_at, redeemed_at, wrong_verifiers)
      ${numbers(filledSecrets)}
      select hash_of('wac_bench-' || number), ${grant}, @redirectUri, @challenge, @later, null, 0 from numbers`)
    run(`insert into refresh_tokens (hash, grant_id, expires_at)
      ${numbers(Math.max(count, filledSecrets))}
      select hash_of('wrt_bench-' || number), ${grant}, @later from numbers`)
  })()
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
}

/** Lets the codes that nobody has redeemed live for a minute from now on: the server believes no code that lives longer. */
export function renewCodes(file: string): void {
  const database = new Database(file, { timeout: 5000 })
  database.prepare('update codes set expires_at = ? where redeemed_at is null').run(Date.now() + 60_000)
  database.close()
}
