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
import { describeFailed, type FailedForm, failedOptions } from '../failed-form.ts'
import type { Answer } from '../message.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { loginPage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { findServed, loadRequest, type StoredRequest } from '../stored-request.ts'
import { hashSecret } from '../tokens/secret.ts'
import { describeAsker, describeServer } from './describe-request.ts'
import { signInByPassword } from './sign-in-by-password.ts'

/** The sign-in form of a transaction. After a sign-in, the transaction's page decides what comes next. */
export const login: Endpoint = async (request, { id, peer }, services) => {
  const { store, issuer, now } = services
  const { transaction, asked } = await loadRequest(store, id, now())
  const browser = checkBrowser(request, transaction, issuer)
  checkFormOrigin(request, issuer)
  const form = await readFormBody(request)
  checkFormToken(form.get('form_token'), transaction.formHash)
  return await signInByPassword(
    services,
    { request, form, peer, route: 'login' },
    {
      enter: (user) => signIn(services, transaction, browser, user),
      showAgain: (failed) => loginResponse(services, { transaction, asked, secret: browser.secret }, failed),
    },
  )
}

/** The sign-in page for a transaction, with what went wrong before. */
export function loginResponse(
  { issuer, resources }: Pick<Services, 'issuer' | 'resources'>,
  { transaction, asked, secret }: { transaction: Transaction; asked: StoredRequest; secret: string },
  failed?: FailedForm,
): Answer {
  const html = loginPage({
    action: `${transactionPath(issuer, transaction.id)}/login`,
    formToken: makeFormToken(secret, transaction.id),
    request: {
      client: describeAsker(asked),
      server: describeServer(findServed(asked, resources())),
    },
    ...describeFailed(failed),
  })
  return pageResponse(html, { endsElsewhere: true, ...failedOptions(failed) })
}

async function signIn(
  { store, issuer, now }: Pick<Services, 'store' | 'issuer' | 'now'>,
  transaction: Transaction,
  browser: BoundBrowser,
  user: User,
): Promise<Answer> {
  const next = rotateBrowser(browser)
  const { browserHash, formHash } = hashBrowser(next.secret, transaction.id)
  const signedIn = await store.transactions.signIn({
    id: transaction.id,
    userId: user.id,
    passwordHash: user.passwordHash,
    browserHash: transaction.browserHash,
    newBrowserHash: browserHash,
    newFormHash: formHash,
    now: now(),
  })
  if (!signedIn) {
    // Where the form could be sent again, it is the user who may not come in: whoever else had the password has lost it.
    const standing = await store.transactions.load(transaction.id, now())
    if (standing?.browserHash === transaction.browserHash) throw new Refusal('login.wrong')
    throw new Refusal('transaction.unknown', { detail: 'it had ended before' })
  }
  if (issuer.secure) {
    for (const old of browser.secrets) await store.sessions.end(hashSecret(old), now())
    const expiresAt = now() + sessionSeconds * 1000
    const hash = hashSecret(next.secret)
    const { id: userId, passwordHash } = user
    const session = { hash, userId, passwordHash, signedInAt: now(), expiresAt, now: now() }
    // What keeps a user from a session ends the transaction too.
    if (!(await store.sessions.create(session))) throw new Refusal('transaction.unknown')
  }
  const path = transactionPath(issuer, transaction.id)
  return seeOther(path, { 'Set-Cookie': browserCookie(next, issuer, path) })
}
