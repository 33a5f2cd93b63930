import { Refusal } from '@warder/protocol'
import type { Transaction, User } from '@warder/store'
import { type BoundBrowser, hashBrowser } from '../browser.ts'
import type { Services } from '../services.ts'
import type { StoredRequest } from '../stored-request.ts'
import { hashSecret } from '../tokens/secret.ts'

/** A signed-in user, and the browser secret that the transaction is bound to by now. */
export interface SignIn {
  readonly user: User
  readonly secret: string
}

type Needs = Pick<Services, 'store' | 'issuer' | 'now'>

/**
 * Who is signed in for this transaction, or undefined. On http loopback only a sign-in within the transaction counts; on https
 * the browser's session counts, and the transaction takes it over, bound to the session's secret from then on.
 */
export async function loadSignIn(
  services: Needs,
  transaction: Transaction,
  asked: StoredRequest,
  browser: BoundBrowser,
): Promise<SignIn | undefined> {
  const { store, issuer, now } = services
  if (!issuer.secure) return await loadLiveUser(services, transaction.userId, browser.secret)
  const [current = ''] = browser.secrets
  const found = await store.sessions.loadWithUser(hashSecret(current), now())
  if (found === undefined) return undefined
  const { session, user } = found
  if (user.id === transaction.userId) return { user, secret: browser.secret }
  if (asked.signInAgain && transaction.userId === undefined) return undefined
  const { browserHash, formHash } = hashBrowser(current, transaction.id)
  const taken = await store.transactions.signIn({
    id: transaction.id,
    userId: user.id,
    browserHash: transaction.browserHash,
    newBrowserHash: browserHash,
    newFormHash: formHash,
    signedInAt: session.signedInAt,
    now: now(),
  })
  if (!taken) throw new Refusal('transaction.unknown', { detail: 'ended while the session was taken over' })
  return { user, secret: current }
}

/**
 * The user of a form that only a signed-in user has; nothing is taken over here. When the sign-in ended or another account
 * signed in since the page was shown, the form is out of date.
 */
export async function checkSignIn(
  services: Needs,
  transaction: Transaction,
  browser: BoundBrowser,
): Promise<SignIn> {
  const { store, issuer, now } = services
  const [current = ''] = browser.secrets
  const userId = issuer.secure
    ? (await store.sessions.load(hashSecret(current), now()))?.userId
    : transaction.userId
  if (userId !== transaction.userId) throw new Refusal('form.token', { detail: 'account' })
  const signIn = await loadLiveUser(services, userId, browser.secret)
  if (signIn === undefined) throw new Refusal('form.token', { detail: 'nobody, or a disabled user' })
  return signIn
}

async function loadLiveUser(
  { store }: Needs,
  userId: string | undefined,
  secret: string,
): Promise<SignIn | undefined> {
  const user = userId === undefined ? undefined : await store.users.loadById(userId)
  return user === undefined || user.disabledAt !== undefined ? undefined : { user, secret }
}
