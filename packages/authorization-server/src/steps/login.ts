import { Refusal } from '@warder/protocol'
import type { Transaction, User } from '@warder/store'
import {
  type BoundBrowser,
  browserCookie,
  checkBrowser,
  hashBrowser,
  makeFormToken,
  rotateBrowser,
  sessionSeconds,
  transactionPath,
} from '../browser.ts'
import { checkFormOrigin, checkFormToken } from '../checks/check-form.ts'
import { logRefusal } from '../log-refusal.ts'
import { retryAfter } from '../oauth-error-response.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { loginPage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { findServed, loadRequest, type StoredRequest } from '../stored-request.ts'
import { hashSecret } from '../tokens/secret.ts'
import { describeAsker, describeServer } from './describe-request.ts'
import { loadUserByPassword } from './load-user-by-password.ts'

/** The sign-in form of a transaction. After a sign-in, the transaction's page decides what comes next. */
export const login: Endpoint = async (request, { id, peer }, services) => {
  const { store, issuer, now } = services
  const { transaction, asked } = await loadRequest(store, id, now())
  const browser = checkBrowser(request, transaction, issuer)
  checkFormOrigin(request, issuer)
  const form = await readFormBody(request)
  checkFormToken(form, transaction.formHash)
  const email = (form.get('email') ?? '').trim().toLowerCase()
  try {
    const user = await loadUserByPassword(services, {
      email,
      password: form.get('password') ?? '',
      address: peer.address,
      request,
    })
    const answer = await signIn(services, transaction, browser, user)
    for (const cookie of services.devices.remember(request, user)) answer.headers.append('Set-Cookie', cookie)
    return answer
  } catch (error) {
    if (!(error instanceof Refusal) || !error.reason.startsWith('login.')) throw error
    logRefusal(services.log, error, { route: 'login', peer: peer.address })
    return loginResponse(services, { transaction, asked, secret: browser.secret }, { refusal: error, email })
  }
}

/** The sign-in page for a transaction, with what went wrong before. */
export function loginResponse(
  { issuer, resources }: Pick<Services, 'issuer' | 'resources'>,
  { transaction, asked, secret }: { transaction: Transaction; asked: StoredRequest; secret: string },
  failed?: { readonly refusal: Refusal; readonly email: string },
): Response {
  const html = loginPage({
    action: `${transactionPath(issuer, transaction.id)}/login`,
    formToken: makeFormToken(secret, transaction.id),
    request: {
      client: describeAsker(asked),
      server: describeServer(findServed(asked, resources())),
    },
    ...(failed === undefined
      ? {}
      : {
          email: failed.email,
          error: {
            says: failed.refusal.rule.says,
            fields: failed.refusal.reason === 'login.wrong' ? (['email', 'password'] as const) : [],
          },
        }),
  })
  return pageResponse(html, {
    endsAt: asked.redirectUri,
    ...(failed === undefined
      ? {}
      : { status: failed.refusal.rule.status, headers: retryAfter(failed.refusal) }),
  })
}

async function signIn(
  { store, issuer, now }: Pick<Services, 'store' | 'issuer' | 'now'>,
  transaction: Transaction,
  browser: BoundBrowser,
  user: User,
): Promise<Response> {
  const next = rotateBrowser(browser)
  const { browserHash, formHash } = hashBrowser(next.secret, transaction.id)
  const signedIn = await store.transactions.signIn({
    id: transaction.id,
    userId: user.id,
    browserHash: transaction.browserHash,
    newBrowserHash: browserHash,
    newFormHash: formHash,
    now: now(),
  })
  if (!signedIn) throw new Refusal('transaction.unknown', { detail: 'it had ended before' })
  if (issuer.secure) {
    for (const old of browser.secrets) await store.sessions.end(hashSecret(old), now())
    const expiresAt = now() + sessionSeconds * 1000
    const hash = hashSecret(next.secret)
    await store.sessions.create({ hash, userId: user.id, signedInAt: now(), expiresAt, now: now() })
  }
  const path = transactionPath(issuer, transaction.id)
  return seeOther(path, { 'Set-Cookie': browserCookie(next, issuer, path) })
}
