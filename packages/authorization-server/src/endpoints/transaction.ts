import { Refusal } from '@warder/protocol'
import { checkBrowser, transactionPath } from '../browser.ts'
import { seeOther } from '../page-response.ts'
import type { Endpoint } from '../services.ts'
import { consentResponse, loadConsentDecision } from '../steps/consent.ts'
import { finishWithCode, finishWithDenial } from '../steps/finish.ts'
import { loadSignIn } from '../steps/load-sign-in.ts'
import { loginResponse } from '../steps/login.ts'
import { loadRequest } from '../stored-request.ts'

/**
 * The page of one authorization request. Login and consent never call each other: each sends the browser back here, and what
 * is stored decides what comes next.
 */
export const transaction: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const { transaction, asked } = await loadRequest(store, id, now())
  const browser = checkBrowser(request, transaction, issuer)
  if (!(await services.hasOwner())) throw new Refusal('owner.missing')
  const signIn = await loadSignIn(services, transaction, asked, browser)
  if (signIn === undefined) return loginResponse(services, { transaction, asked, secret: browser.secret })
  const decision = await loadConsentDecision(services, asked, signIn)
  switch (decision.outcome) {
    case 'not-allowed':
      return await finishWithDenial(services, {
        transaction,
        asked,
        refusal: new Refusal('scope.not-allowed'),
      })
    case 'remembered':
      return await finishWithCode(services, {
        transaction,
        asked,
        user: signIn.user,
        granted: decision.offer.scopes.map(({ name }) => name),
        declined: [],
        unasked: true,
      })
    case 'ask':
      return await consentResponse(services, { transaction, asked, signIn, offer: decision.offer })
  }
}

/** Whoever opens the address of a form, by a reload for instance, comes to the page that it stands on. */
export const toTransaction: Endpoint = async (_request, { id }, { issuer }) =>
  seeOther(transactionPath(issuer, id))
