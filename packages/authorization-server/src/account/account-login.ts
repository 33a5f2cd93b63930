import { Refusal } from '@warder/protocol'
import { browserCookie, rotateBrowser, sessionSeconds, transactionSeconds } from '../browser.ts'
import { checkFormOrigin } from '../checks/check-form.ts'
import { logRefusal } from '../log-refusal.ts'
import { retryAfter } from '../oauth-error-response.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { loginPage } from '../pages/index.ts'
import { readFormBody } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { loadUserByPassword } from '../steps/load-user-by-password.ts'
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
  const email = (form.get('email') ?? '').trim().toLowerCase()
  try {
    const user = await loadUserByPassword(services, {
      email,
      password: form.get('password') ?? '',
      address: peer.address,
      request,
    })
    // A new secret: nobody who knew the old one shares the sign-in that follows (no fixation).
    const next = rotateBrowser({ secret, secrets })
    if (issuer.secure) for (const old of secrets) await store.sessions.end(hashSecret(old), now())
    await store.sessions.create({
      hash: sessionHashOf(next.secret, id, issuer),
      userId: user.id,
      signedInAt: now(),
      expiresAt: now() + (issuer.secure ? sessionSeconds : transactionSeconds) * 1000,
      now: now(),
    })
    const path = visitPath(issuer, id)
    const answer = seeOther(path, { 'Set-Cookie': browserCookie(next, issuer, path) })
    for (const cookie of services.devices.remember(request, user)) answer.headers.append('Set-Cookie', cookie)
    return answer
  } catch (error) {
    if (!(error instanceof Refusal) || !error.reason.startsWith('login.')) throw error
    logRefusal(services.log, error, { route: 'account login', peer: peer.address })
    return accountLoginResponse(services, visit, { refusal: error, email })
  }
}

/** The sign-in page of a visit, with what went wrong before. */
export function accountLoginResponse(
  { issuer }: Pick<Services, 'issuer'>,
  { id, browser }: AccountVisit,
  failed?: { readonly refusal: Refusal; readonly email: string },
): Response {
  const html = loginPage({
    action: `${visitPath(issuer, id)}/login`,
    formToken: visitFormToken(browser.secrets[0] ?? '', id),
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
  if (failed === undefined) return pageResponse(html)
  return pageResponse(html, { status: failed.refusal.rule.status, headers: retryAfter(failed.refusal) })
}
