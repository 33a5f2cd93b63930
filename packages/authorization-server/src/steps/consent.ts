import { Refusal } from '@warder/protocol'
import type { Transaction } from '@warder/store'
import { checkBrowser, makeFormToken, transactionPath } from '../browser.ts'
import { checkFormOrigin, checkFormToken } from '../checks/check-form.ts'
import { findServerPolicy, loadPolicy } from '../load-policy.ts'
import type { Answer } from '../message.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { consentPage } from '../pages/index.ts'
import { readSwitchForm } from '../read-body.ts'
import type { Endpoint, Services } from '../services.ts'
import { findServed, loadRequest, type StoredRequest, userIdentity } from '../stored-request.ts'
import { accessTokenSeconds, refreshIdleMs } from '../tokens/issue.ts'
import { decideConsent, type Offer, readChoice } from './decide-consent.ts'
import { describeAsker, describeRedirect, describeServer } from './describe-request.ts'
import { describeScopes } from './describe-scopes.ts'
import { consentKey, finishWithCode, finishWithDenial } from './finish.ts'
import { checkSignIn, type SignIn } from './load-sign-in.ts'
import { loadOtherServers } from './other-servers.ts'
import { consentToken, formTokenIn, wasShown } from './shown.ts'

/**
 * The consent form of a transaction. Only the switches and the button are read from it: everything else stands in the stored
 * request, and what may be granted is decided anew.
 */
export const consent: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const { transaction, asked } = await loadRequest(store, id, now())
  const browser = checkBrowser(request, transaction, issuer)
  checkFormOrigin(request, issuer)
  const form = await readSwitchForm(request, ['scope', 'server'])
  const token = form.get('form_token') ?? ''
  checkFormToken(formTokenIn(token), transaction.formHash)
  const signIn = await checkSignIn(services, transaction, browser)
  const press = form.get('decision')
  if (press === 'deny') {
    return await finishWithDenial(services, { transaction, asked, refusal: new Refusal('consent.denied') })
  }
  if (press !== 'allow') throw new Refusal('parameter.malformed', { detail: 'decision' })
  const decision = await loadConsentDecision(services, asked, signIn)
  const switchedOn = form.all('server')
  const others = (await loadOtherServers(services, asked, signIn)).filter(({ served }) =>
    switchedOn.includes(served.resource),
  )
  // The rules changed since the page was shown: the transaction's page says what is true now.
  if (decision.outcome === 'not-allowed' || !wasShown(token, { offer: decision.offer, others })) {
    return seeOther(transactionPath(issuer, id))
  }
  const { granted, declined } = readChoice(decision.offer, form.all('scope'))
  if (granted.length === 0 && declined.length > 0) {
    // Allow with every switch off is a no.
    const refusal = new Refusal('consent.denied', { detail: 'every scope was switched off' })
    const switchedOff = { user: signIn.user, scopes: declined }
    return await finishWithDenial(services, { transaction, asked, refusal, declined: switchedOff })
  }
  return await finishWithCode(services, {
    transaction,
    asked,
    user: signIn.user,
    granted,
    declined,
    others,
  })
}

/** What is to be done about this request of this user, by the policy of this moment and what the user said before. */
export async function loadConsentDecision(
  services: Pick<Services, 'store' | 'policy' | 'resources' | 'issuer'>,
  asked: StoredRequest,
  { user }: SignIn,
): Promise<ReturnType<typeof decideConsent>> {
  const policy = loadPolicy(services)
  return decideConsent({
    policy,
    server: findServerPolicy(policy, findServed(asked, services.resources())),
    user: userIdentity(services.issuer, user),
    asked,
    remembered: await services.store.transactions.loadConsents(consentKey(user, asked)),
  })
}

/** The consent page of a transaction. */
export async function consentResponse(
  services: Pick<Services, 'store' | 'issuer' | 'policy' | 'resources' | 'log'>,
  {
    transaction,
    asked,
    signIn,
    offer,
  }: {
    readonly transaction: Transaction
    readonly asked: StoredRequest
    readonly signIn: SignIn
    readonly offer: Offer
  },
): Promise<Answer> {
  if (offer.clientChanged) {
    const { id, digest } = asked.client
    services.log({ level: 'warn', event: 'client_changed', client: id, digest, user: signIn.user.id })
  }
  const others = await loadOtherServers(services, asked, signIn)
  const served = findServed(asked, services.resources())
  const server = findServerPolicy(loadPolicy(services), served)
  const html = consentPage({
    action: `${transactionPath(services.issuer, transaction.id)}/consent`,
    formToken: consentToken(makeFormToken(signIn.secret, transaction.id), { offer, others }),
    client: describeAsker(asked),
    redirect: describeRedirect(asked),
    server: describeServer(served),
    signedInAs: signIn.user.email,
    scopes: describeScopes(offer.scopes, server, served, offer.earlier),
    notOffered: offer.notOffered,
    clientChanged: offer.clientChanged,
    otherServers: others.map((other) => ({ ...describeServer(other.served), scopes: other.scopes })),
    renewMinutes: accessTokenSeconds / 60,
    idleDays: refreshIdleMs / (24 * 3_600_000),
  })
  return pageResponse(html, { endsElsewhere: true })
}
