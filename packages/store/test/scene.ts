import { randomUUID } from 'node:crypto'
import type { Rotation, Session, Store } from '@warder/store'

export const minute: number = 60_000
export const hour: number = 60 * minute
export const day: number = 24 * hour
/** When every test begins. */
export const start: number = 1_800_000_000_000

export const id = (): string => randomUUID()

/** What every user here has. */
export const passwordHash = 'argon'

/** A user without any right. */
export async function addUser(store: Store): Promise<string> {
  const user = id()
  await store.users.add({ id: user, email: `${user}@example.com`, passwordHash, now: start })
  return user
}

/** A session of a user, from now on and for an hour. */
export async function beginSession(store: Store, userId: string): Promise<Session> {
  const session = { hash: id(), userId, signedInAt: start, expiresAt: start + hour }
  const isBegun = await store.sessions.create({ ...session, passwordHash, now: start })
  if (!isBegun) throw new Error('the scene could not begin a session')
  return session
}

/** A transaction that the user has signed in to, at the consent page. */
export async function beginTransaction(store: Store, userId: string, clientId = 'client'): Promise<string> {
  const transaction = id()
  const browserHash = id()
  await store.transactions.create({
    id: transaction,
    clientId,
    request: '{}',
    browserHash,
    formHash: id(),
    expiresAt: start + 10 * minute,
    now: start,
  })
  const signedIn = await store.transactions.signIn({
    id: transaction,
    userId,
    browserHash,
    newBrowserHash: id(),
    newFormHash: id(),
    now: start,
  })
  if (!signedIn) throw new Error('the scene could not sign in')
  return transaction
}

/** What `finishWithCode` takes, with a new grant and a new code that lives for a minute. */
export function makeFinish(transaction: string, userId: string, clientId = 'client') {
  return {
    id: transaction,
    grant: {
      id: id(),
      userId,
      clientId,
      clientClass: 'document',
      resource: 'https://mcp.example/notes/mcp',
      scopes: ['notes:read', 'notes:write'],
    },
    code: {
      hash: id(),
      redirectUri: 'https://client.example/callback',
      challenge: 'challenge',
      expiresAt: start + minute,
    },
    consents: [],
    now: start,
  }
}

export interface Consented {
  readonly user: string
  readonly grant: string
  readonly code: string
}

/** A user who has consented: a grant with an unused code. */
export async function makeCode(store: Store, clientId = 'client'): Promise<Consented> {
  const user = await addUser(store)
  const finish = makeFinish(await beginTransaction(store, user, clientId), user, clientId)
  if (!(await store.transactions.finishWithCode(finish))) throw new Error('the scene could not consent')
  return { user, grant: finish.grant.id, code: finish.code.hash }
}

export function redeem(store: Store, code: string, refreshToken: string = id(), now: number = start) {
  return store.grants.redeemCode({
    codeHash: code,
    refreshToken: { hash: refreshToken, expiresAt: now + 30 * day },
    now,
  })
}

/** A grant whose code was redeemed for the refresh token. */
export async function makeToken(store: Store): Promise<Consented & { token: string }> {
  const consented = await makeCode(store)
  const token = id()
  if ((await redeem(store, consented.code, token)).outcome !== 'redeemed') {
    throw new Error('the scene could not redeem')
  }
  return { ...consented, token }
}

/** Rotates, with the sealed text that names the successor. */
export function rotate(
  store: Store,
  token: string,
  successor: string = id(),
  { now = start, graceMs = 30_000 }: { now?: number; graceMs?: number } = {},
): Promise<Rotation> {
  return store.grants.rotateRefreshToken({
    hash: token,
    successor: { hash: successor, sealed: `sealed ${successor}`, expiresAt: now + 30 * day },
    graceMs,
    now,
  })
}

/** Everything that the store has recorded, without the counters that differ from run to run. */
export async function readTrail(store: Store): Promise<{ events: string[]; changes: string[] }> {
  const events = await store.events.listAfter(0, 100_000)
  const changes = await store.changes.listAfter(0, 100_000)
  return {
    events: events.map(({ kind }) => kind),
    changes: changes.map(({ kind, subject }) => `${kind} ${subject}`),
  }
}
