import {
  checkRedirectUri,
  type Form,
  type RedirectUri,
  Refusal,
  readCodeChallenge,
  readForm,
  redirectHost,
  toRefusal,
} from '@warder/protocol'
import { browserCookie, hashBrowser, startBrowser, transactionPath, transactionSeconds } from '../browser.ts'
import { checkPrompt, checkResponseType } from '../checks/check-authorization-request.ts'
import { checkNavigation } from '../checks/check-navigation.ts'
import { checkResource } from '../checks/check-resource.ts'
import { checkScope } from '../checks/check-scope.ts'
import { type Client, decideClientClass, mayAnswerUnasked } from '../clients/client.ts'
import { findServerPolicy, loadPolicy } from '../load-policy.ts'
import { logRefusal } from '../log-refusal.ts'
import type { Answer, WebRequest } from '../message.ts'
import { seeOther } from '../page-response.ts'
import { readPeerKey } from '../peer-key.ts'
import { readFormText } from '../read-body.ts'
import { redirectRefusal } from '../redirect-response.ts'
import type { Endpoint, Peer, Services } from '../services.ts'
import type { StoredRequest } from '../stored-request.ts'
import { hashSecret, makeId } from '../tokens/secret.ts'

const maxQueryLength = 16_384
const maxStateLength = 4096

/**
 * The authorization endpoint (OAuth 2.1 section 4.1.1). Until client and redirect URI are proven, refusals are pages; from then
 * on they are redirects, where the browser may go before anybody has signed in. It stores the request and sends the browser to
 * the transaction's page, which decides what comes next.
 */
export const authorize: Endpoint = async (request, { peer }, services) => {
  const query = readQuery(request)
  checkNavigation(request)
  const client = await services.loadClient(query.get('client_id'), peer.address)
  const redirectUri = checkRedirect(query, client)
  const target = { redirectUri, state: query.get('state') }
  try {
    checkResponseType(query)
    const prompt = checkPrompt(query)
    const challenge = readCodeChallenge(query.get('code_challenge'), query.get('code_challenge_method'))
    const served = checkResource(query.all('resource'), services.resources())
    const scopes = checkScope(query.get('scope'), findServerPolicy(loadPolicy(services), served))
    return await startTransaction(request, peer, services, {
      client: describeClient(client, redirectUri),
      redirectUri,
      ...(target.state === undefined ? {} : { state: target.state }),
      challenge,
      resource: served.resource,
      scopes,
      ...prompt,
    })
  } catch (error) {
    const refusal = toRefusal(error)
    if (!mayAnswerUnasked(client, redirectUri)) throw withhold(refusal, client, redirectUri)
    logRefusal(services.log, refusal, { route: 'authorize', client: client.id })
    return redirectRefusal(refusal, target, services.issuer)
  }
}

/**
 * The same request as a form (OpenID Connect Core section 3.1.2.1). It comes from another site, so our cookie is not with it:
 * the browser is sent to the same request as a query first.
 */
export const authorizeForm: Endpoint = async (request, _visit, { issuer }) => {
  const text = await readFormText(request)
  if (new URL(request.url).search !== '')
    throw new Refusal('parameter.malformed', { detail: 'query and form' })
  readForm(text, ['resource'])
  // A raw `#` is data in a form, but would cut a URL short.
  return seeOther(`${issuer.path}/authorize?${text.replaceAll('#', '%23')}`)
}

function readQuery(request: WebRequest): Form {
  const query = new URL(request.url).search.slice(1)
  if (query.length > maxQueryLength) throw new Refusal('parameter.malformed', { detail: 'length' })
  const form = readForm(query, ['resource'])
  if ((form.get('state')?.length ?? 0) > maxStateLength) {
    throw new Refusal('parameter.malformed', { detail: 'state is too long' })
  }
  return form
}

function checkRedirect(query: Form, client: Client): RedirectUri {
  const raw = query.get('redirect_uri')
  // Required even where one is registered: one way less to guess what the client meant.
  if (raw === undefined) throw new Refusal('redirect.missing')
  return checkRedirectUri(raw, client.metadata.redirectUris, client.metadata.native)
}

/** The same refusal for the page, which says where it was not sent. */
function withhold({ reason, notes }: Refusal, client: Client, redirectUri: RedirectUri): Refusal {
  const detail = [...(notes.detail === undefined ? [] : [notes.detail]), `client ${client.id}`].join(', ')
  return new Refusal(reason, { ...notes, detail, withheldFrom: redirectHost(redirectUri) })
}

function describeClient(client: Client, redirectUri: RedirectUri): StoredRequest['client'] {
  return {
    id: client.id,
    class: decideClientClass(client, redirectUri),
    name: client.metadata.clientName ?? '',
    ...(client.kind === 'document' ? { documentHost: new URL(client.id).host } : {}),
    ...(client.digest === undefined ? {} : { digest: client.digest }),
  }
}

async function startTransaction(
  request: WebRequest,
  peer: Peer,
  { store, issuer, now }: Pick<Services, 'store' | 'issuer' | 'now'>,
  asked: StoredRequest,
): Promise<Answer> {
  const id = makeId()
  const browser = startBrowser(request, issuer)
  // Put in at once, rather than by a second write when the browser comes to the page; that looks at the session again.
  const mayStand = issuer.secure && !asked.signInAgain
  await store.transactions.create({
    id,
    clientId: asked.client.id,
    peer: readPeerKey(peer.address),
    request: JSON.stringify(asked),
    ...hashBrowser(browser.secret, id),
    session: mayStand ? hashSecret(browser.secret) : undefined,
    expiresAt: now() + transactionSeconds * 1000,
    now: now(),
  })
  const path = transactionPath(issuer, id)
  return seeOther(path, { 'Set-Cookie': browserCookie(browser, issuer, path) })
}
