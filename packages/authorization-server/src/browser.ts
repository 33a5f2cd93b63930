import { Refusal } from '@warder/protocol'
import type { Transaction } from '@warder/store'
import type { WebRequest } from './message.ts'
import type { Issuer } from './options.ts'
import { readCookie } from './read-cookie.ts'
import { deriveSecret, hashSecret, isSecret, makeSecret } from './tokens/secret.ts'

/**
 * The secrets that a browser holds in our cookie; the first is the current one. On https they are one session cookie's, and earlier
 * ones stay in it so that other tabs' transactions go on after a sign-in rotated it. On http loopback there is one for each
 * transaction, since cookies do not separate ports and what another port set must not count.
 */
export interface Browser {
  readonly secrets: readonly string[]
}

/** A browser that has shown the secret which a transaction is bound to. */
export interface BoundBrowser extends Browser {
  /** The one of its secrets that this transaction is bound to. */
  readonly secret: string
}

const sessionCookie = '__Host-warder'
const transactionCookie = 'warder-transaction'
const secretForm = /^[A-Za-z0-9_-]{43}$/
const secretsKept = 4

/** Seconds that a sign-in on https lasts. */
export const sessionSeconds: number = 8 * 3600
/** Seconds that a sign-in and consent may take. */
export const transactionSeconds = 600

/** The secrets in the request's cookies; anything of another form is left out. */
export function readBrowser(request: WebRequest, issuer: Issuer): Browser {
  const name = issuer.secure ? sessionCookie : transactionCookie
  const secrets = readCookie(request, name).filter((secret) => secretForm.test(secret))
  return { secrets: secrets.slice(0, 8) }
}

/** The browser that a new transaction is bound to: on https the one that came, if it holds a secret; else a new one. */
export function startBrowser(request: WebRequest, issuer: Issuer): BoundBrowser {
  const { secrets } = issuer.secure ? readBrowser(request, issuer) : { secrets: [] }
  const secret = secrets[0] ?? makeSecret()
  return { secret, secrets: secrets.length === 0 ? [secret] : secrets }
}

/** The same browser with a new current secret: nobody who knew the old one shares the sign-in that follows (no fixation). */
export function rotateBrowser(browser: BoundBrowser): BoundBrowser {
  const secret = makeSecret()
  return { secret, secrets: [secret, ...browser.secrets.slice(0, secretsKept - 1)] }
}

/** Proves that the request comes from the browser that the transaction is bound to, else `transaction.other-browser`. */
export function checkBrowser(request: WebRequest, transaction: Transaction, issuer: Issuer): BoundBrowser {
  const { secrets } = readBrowser(request, issuer)
  const secret = secrets.find((candidate) => isSecret(candidate, transaction.browserHash))
  if (secret === undefined) throw new Refusal('transaction.other-browser')
  return { secret, secrets }
}

/** What the store keeps of a browser for one transaction: the hash of its secret, and of the token in the forms. */
export function hashBrowser(
  secret: string,
  transactionId: string,
): { browserHash: string; formHash: string } {
  return { browserHash: hashSecret(secret), formHash: hashSecret(makeFormToken(secret, transactionId)) }
}

/** The token that stands in the forms of a transaction; it changes with the secret, so at each sign-in. */
export function makeFormToken(secret: string, transactionId: string): string {
  return deriveSecret(secret, `form ${transactionId}`)
}

/**
 * The `Set-Cookie` value that gives the browser its secrets (design decision 10). On http loopback only pages below `path`, that
 * of one transaction or one visit, ever get it back.
 */
export function browserCookie(browser: Browser, issuer: Issuer, path: string): string {
  return issuer.secure
    ? `${sessionCookie}=${browser.secrets.join('.')}; Path=/; Max-Age=${sessionSeconds}; HttpOnly; Secure; SameSite=Lax`
    : `${transactionCookie}=${browser.secrets[0]}; Path=${path}; Max-Age=${transactionSeconds}; HttpOnly; SameSite=Lax`
}

/** The `Set-Cookie` value that takes all secrets away. */
export function endBrowserCookie(issuer: Issuer, path: string): string {
  return issuer.secure
    ? `${sessionCookie}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax`
    : `${transactionCookie}=; Path=${path}; Max-Age=0; HttpOnly; SameSite=Lax`
}

/** Headers that take the cookie of a finished transaction away; on https the session stays. */
export function endTransactionCookie(issuer: Issuer, transactionId: string): Record<string, string> {
  if (issuer.secure) return {}
  return { 'Set-Cookie': endBrowserCookie(issuer, transactionPath(issuer, transactionId)) }
}

/** The path of a transaction's page, below the issuer's path. */
export function transactionPath(issuer: Issuer, transactionId: string): string {
  return `${issuer.path}/authorize/${transactionId}`
}
