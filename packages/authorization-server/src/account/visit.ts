import { type Form, Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import { type Browser, makeFormToken, readBrowser } from '../browser.ts'
import { checkFormOrigin } from '../checks/check-form.ts'
import type { WebRequest } from '../message.ts'
import type { Issuer } from '../options.ts'
import type { Services } from '../services.ts'
import { deriveSecret, hashSecret, isSecret } from '../tokens/secret.ts'

/**
 * One visit of the account page, from its address to the sign-out. On https the visitor is whoever the browser's session says.
 * On http loopback there is no such session: what a sign-in here makes lives under the path of this visit alone, for ten
 * minutes, and is worth nothing anywhere else (design decision 10).
 */
export interface AccountVisit {
  readonly id: string
  readonly browser: Browser
}

/** A visitor who has signed in. */
export interface SignedInVisit extends AccountVisit {
  readonly user: User
  /** The browser secret that the session belongs to. */
  readonly secret: string
  readonly sessionHash: string
}

type Needs = Pick<Services, 'store' | 'issuer' | 'now'>

/** The path of a visit's page, below the issuer's path. */
export function visitPath(issuer: Issuer, id: string): string {
  return `${issuer.path}/account/${id}`
}

/** The visit of a browser that has our cookie, else `visit.unknown`. */
export function readVisit(request: WebRequest, id: string, issuer: Issuer): AccountVisit {
  const browser = readBrowser(request, issuer)
  if (browser.secrets.length === 0) throw new Refusal('visit.unknown', { url: `${issuer.url}/account` })
  return { id, browser }
}

/** Under which name the store keeps the session of a browser secret. */
export function sessionHashOf(secret: string, id: string, issuer: Issuer): string {
  return hashSecret(issuer.secure ? secret : deriveSecret(secret, `visit ${id}`))
}

/** The token in the forms of a visit; it changes with the secret, so at each sign-in. */
export function visitFormToken(secret: string, id: string): string {
  return makeFormToken(secret, `account/${id}`)
}

/** Who is signed in for this visit, or undefined. What another port planted as a cookie has no session and does not count. */
export async function loadVisitor(
  { store, issuer, now }: Needs,
  visit: AccountVisit,
): Promise<SignedInVisit | undefined> {
  const { id, browser } = visit
  for (const secret of issuer.secure ? browser.secrets.slice(0, 1) : browser.secrets) {
    const sessionHash = sessionHashOf(secret, id, issuer)
    const found = await store.sessions.loadWithUser(sessionHash, now())
    if (found !== undefined) return { ...visit, user: found.user, secret, sessionHash }
  }
  return undefined
}

/** The visitor who sent a form of the account page: from our page, with its token, and still signed in. */
export async function checkVisitor(
  services: Needs,
  request: WebRequest,
  id: string,
  readForm: () => Promise<Form>,
): Promise<{ readonly visitor: SignedInVisit; readonly form: Form }> {
  const visit = readVisit(request, id, services.issuer)
  checkFormOrigin(request, services.issuer)
  const form = await readForm()
  const visitor = await loadVisitor(services, visit)
  if (visitor === undefined || !hasFormToken(form, visitor.secret, id)) throw new Refusal('form.token')
  return { visitor, form }
}

/** Whether the form carries the token that follows from this secret. */
export function hasFormToken(form: Form, secret: string, id: string): boolean {
  return isSecret(form.get('form_token') ?? '', hashSecret(visitFormToken(secret, id)))
}
