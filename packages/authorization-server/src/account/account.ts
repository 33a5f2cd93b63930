import { Refusal } from '@warder/protocol'
import { browserCookie, startBrowser } from '../browser.ts'
import type { WebRequest } from '../message.ts'
import { pageResponse, seeOther } from '../page-response.ts'
import { type AccountDone, accountDone, accountPage } from '../pages/index.ts'
import type { Endpoint } from '../services.ts'
import { makeId } from '../tokens/secret.ts'
import { accountLoginResponse } from './account-login.ts'
import { describeGrants } from './describe-grants.ts'
import { loadVisitor, readVisit, visitFormToken, visitPath } from './visit.ts'

/** The address of the account page: each visit gets a path of its own. */
export const startVisit: Endpoint = async (request, _visit, { issuer }) => {
  const path = visitPath(issuer, makeId())
  return seeOther(path, { 'Set-Cookie': browserCookie(startBrowser(request, issuer), issuer, path) })
}

/** The account page of one visit: the sign-in, or what the user has granted and where the user is signed in. */
export const account: Endpoint = async (request, { id }, services) => {
  const { store, issuer, now } = services
  const visit = readVisit(request, id, issuer)
  if (!(await services.hasOwner())) throw new Refusal('owner.missing')
  const visitor = await loadVisitor(services, visit)
  if (visitor === undefined) return accountLoginResponse(services, visit)
  const sessions = await store.sessions.list(visitor.user.id, now())
  const html = accountPage({
    path: visitPath(issuer, id),
    formToken: visitFormToken(visitor.secret, id),
    signedInAs: visitor.user.email,
    grants: await describeGrants(services, visitor.user),
    sessions: sessions.map(({ hash, signedInAt, expiresAt }) => ({
      id: hash,
      signedInAt,
      expiresAt,
      current: hash === visitor.sessionHash,
    })),
    ...readDone(request),
  })
  return pageResponse(html)
}

/** Whoever opens the address of a form, by a reload for instance, comes to the page that it stands on. */
export const toAccount: Endpoint = async (_request, { id }, { issuer }) => seeOther(visitPath(issuer, id))

/** What the form before this page did, one of a fixed list. */
function readDone(request: WebRequest): { readonly done?: AccountDone } {
  const said = new URL(request.url).searchParams.get('done') ?? ''
  return Object.hasOwn(accountDone, said) ? { done: said as AccountDone } : {}
}
