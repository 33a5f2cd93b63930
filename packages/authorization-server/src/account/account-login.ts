import { Refusal } from '@warder/protocol'
import type { User } from '@warder/store'
import { browserCookie, rotateBrowser, sessionSeconds, transactionSeconds } from '../browser.ts'
import { checkFormOrigin } from '../checks/check-form.ts'
import { describeFailed, type FailedForm, failedOptions } from '../failed-form.ts'
import type { Answer } from '../message.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { loginPage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { signInByPassword } from '../steps/sign-in-by-password.ts'
import { hashSecret } from '../tokens/secret.ts'
import {
  type AccountVisit,
  hasFormToken,
  readVisit,
  sessionHashOf,
  visitFormToken,
  visitPath,
} from './visit.ts'

/** The sign-in form of the account page: the same password rules and throttles as for an application. */
export const accountLogin: Endpoint = async (request, { id, peer }, services) => {
  const { store, issuer, now } = services
  const visit = readVisit(request, id, issuer)
  checkFormOrigin(request, issuer)
  const form = await readFormBody(request)
  const { secrets } = visit.browser
  const secret = secrets.find((candidate) => hasFormToken(form, candidate, id))
  if (secret === undefined) throw new Refusal('form.token')
  const enter = async (user: User): Promise<Answer> => {
    // A new secret: nobody who knew the old one shares the sign-in that follows (no fixation).
    const next = rotateBrowser({ secret, secrets })
    const isIn = await store.sessions.create({
      hash: sessionHashOf(next.secret, id, issuer),
      userId: user.id,
      passwordHash: user.passwordHash,
      signedInAt: now(),
      expiresAt: now() + (issuer.secure ? sessionSeconds : transactionSeconds) * 1000,
      now: now(),
    })
    if (!isIn) throw new Refusal('login.wrong')
    if (issuer.secure) for (const old of secrets) await store.sessions.end(hashSecret(old), now())
    const path = visitPath(issuer, id)
    return seeOther(path, { 'Set-Cookie': browserCookie(next, issuer, path) })
  }
  return await signInByPassword(
    services,
    { request, form, peer, route: 'account login' },
    { enter, showAgain: (failed) => accountLoginResponse(services, visit, failed) },
  )
}

/** The sign-in page of a visit, with what went wrong before. */
export function accountLoginResponse(
  { issuer }: Pick<Services, 'issuer'>,
  { id, browser }: AccountVisit,
  failed?: FailedForm,
): Answer {
  const html = loginPage({
    action: `${visitPath(issuer, id)}/login`,
    formToken: visitFormToken(browser.secrets[0] ?? '', id),
    ...describeFailed(failed),
  })
  return pageResponse(html, failedOptions(failed))
}
