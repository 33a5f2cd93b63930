import type { Browser, Shown } from '../../packages/authorization-server/test/browser.ts'
import { ownerEmail, readerEmail } from '../../packages/authorization-server/test/start.ts'
import { covered } from './world.ts'

export const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000]
export const graceMs: number = 30 * second
export const scopeNames = ['notes:read', 'notes:write', 'notes:admin'] as const

/** The rules once more, without a database, without HTTP and without any code of Warder. */
export interface Model {
  now: number
  /** The latest that the clock ever showed. */
  latest: number
  readonly users: readonly User[]
  readonly clients: Client[]
  readonly browsers: Tab[]
  readonly visits: Visit[]
  readonly grants: Grant[]
  readonly tokens: AccessToken[]
  /** What the user said about a client: the key is made by `saidBy`. */
  readonly said: Map<string, Map<string, 'granted' | 'declined'>>
  failedLogins: number
  /** How often the guard was started; a new one has to prove each token anew. */
  guards: number
}

export interface User {
  readonly id: string
  readonly email: string
  readonly mayHave: readonly string[]
  disabled: boolean
}

export interface Client {
  readonly id: string
  /** A document client is vouched for, so a yes to it is remembered. */
  readonly kind: 'registered' | 'document'
  readonly redirectUri: string
  disabled: boolean
  swept: boolean
}

export interface Tab {
  readonly browser: Browser
  session: { readonly user: User; readonly expiresAt: number } | undefined
  /** How often the secret in its cookie was replaced. */
  rotations: number
}

/** An authorization request whose consent page is open. */
export interface Visit {
  readonly page: Shown
  readonly tab: Tab
  readonly client: Client
  readonly user: User
  readonly asked: readonly string[]
  readonly expiresAt: number
  readonly rotation: number
  ended: boolean
}

export interface RefreshToken {
  readonly token: string
  readonly expiresAt: number
  usedAt: number | undefined
  /** Whether a retry still gets the successor. */
  sealed: boolean
  swept: boolean
}

export interface Grant {
  readonly id: string
  readonly user: User
  readonly client: Client
  readonly createdAt: number
  readonly code: { readonly value: string; readonly expiresAt: number }
  readonly chain: RefreshToken[]
  /** Everything that the user ever said yes to in it. */
  readonly consented: Set<string>
  scopes: readonly string[]
  redeemed: boolean
  wrongVerifiers: number
  revoked: boolean
  codeSwept: boolean
  /** Nothing of it is left in the store. */
  swept: boolean
}

export interface AccessToken {
  readonly token: string
  readonly grant: Grant
  readonly scopes: readonly string[]
  /** Seconds since the epoch. */
  readonly issuedAt: number
  readonly expiresAt: number
  /** The guard that has proved it already, and so does not look at `iat` again. */
  provedBy: number | undefined
}

export function newModel(now: number): Model {
  const user = (id: string, email: string, mayHave: readonly string[]): User => ({
    id,
    email,
    mayHave,
    disabled: false,
  })
  return {
    now,
    latest: now,
    users: [user('wus_owner', ownerEmail, scopeNames), user('wus_reader', readerEmail, ['notes:read'])],
    clients: [],
    browsers: [],
    visits: [],
    grants: [],
    tokens: [],
    said: new Map(),
    failedLogins: 0,
    guards: 1,
  }
}

export const isUsable = (client: Client): boolean => !client.disabled && !client.swept

export function sessionOf(m: Model, tab: Tab): User | undefined {
  const { session } = tab
  return session !== undefined && session.expiresAt > m.now && !session.user.disabled
    ? session.user
    : undefined
}

export function saidBy(m: Model, user: User, client: Client): Map<string, 'granted' | 'declined'> {
  const key = `${user.id} ${client.id}`
  const said = m.said.get(key) ?? new Map()
  m.said.set(key, said)
  return said
}

export function forgetYes(said: Map<string, 'granted' | 'declined'>): void {
  for (const [scope, decision] of said) if (decision === 'granted') said.delete(scope)
}

/** What the consent page offers: of what was asked for, with what it implies, the part that the user may have. */
export function offered(user: User, asked: readonly string[]): readonly string[] {
  const wanted = covered(asked.length === 0 ? ['notes:read'] : asked)
  return scopeNames.filter((scope) => wanted.has(scope) && user.mayHave.includes(scope))
}

/** Ends a grant; the events that this makes. */
export function endGrant(grant: Grant): string[] {
  if (grant.revoked || grant.swept) return []
  grant.revoked = true
  for (const token of grant.chain) token.sealed = false
  return ['grant.revoked']
}

export function endGrants(m: Model, concerns: (grant: Grant) => boolean): string[] {
  return m.grants.filter(concerns).flatMap(endGrant)
}

export function isLive(m: Model, { grant, scopes, issuedAt, expiresAt, provedBy }: AccessToken): boolean {
  const left = covered(grant.scopes)
  return (
    expiresAt * second > m.now &&
    (provedBy === m.guards || issuedAt * second <= m.now + 10 * second) &&
    !grant.revoked &&
    !grant.user.disabled &&
    scopes.every((scope) => left.has(scope))
  )
}

/** Whether the account page shows it. */
export function isInUse(m: Model, grant: Grant): boolean {
  return (
    !grant.revoked &&
    !grant.swept &&
    (grant.createdAt > m.now - hour ||
      grant.chain.some(({ usedAt, expiresAt }) => usedAt === undefined && expiresAt > m.now))
  )
}
