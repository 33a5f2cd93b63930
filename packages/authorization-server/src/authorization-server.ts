import { Refusal, toRefusal } from '@warder/protocol'
import type { JSONWebKeySet } from 'jose'
import { makeOwnerLink } from './admin/make-owner-link.ts'
import { makeDocumentLoader } from './clients/load-document.ts'
import { makeClientLoader } from './clients/resolve-client.ts'
import { errorPageResponse } from './error-page-response.ts'
import { makeFailClosedStore } from './fail-closed-store.ts'
import { makeKnownDevices } from './known-devices.ts'
import { logRefusal } from './log-refusal.ts'
import { type Answer, toResponse, type WebRequest } from './message.ts'
import { oauthErrorResponse } from './oauth-error-response.ts'
import { type AuthorizationServerOptions, readOptions } from './options.ts'
import { makeOwnerCheck } from './owner-check.ts'
import { makePasswords } from './passwords.ts'
import { makeRegistrationBudget } from './request-budget.ts'
import { findRoute, makeRoutes, type Route } from './routes.ts'
import type { Peer, Services } from './services.ts'
import { makeKeyLoader } from './tokens/keys.ts'
import { makeId } from './tokens/secret.ts'

/** An OAuth 2.1 authorization server for MCP, as one web-standard handler. */
export interface AuthorizationServer {
  /**
   * Answers a request; never throws. The path decides: host and scheme of the URL are not looked at, since the door in front
   * checks them. What is not ours gets 404.
   */
  handle(request: Request, peer: Peer): Promise<Response>
  /** The same without the platform's objects, for a server that has none: they cost more than most answers. */
  answer(request: WebRequest, peer: Peer): Promise<Answer>
  /** The public keys, for a guard in the same process. */
  jwks(): Promise<JSONWebKeySet>
  /** A new owner link, as a whole URL: fifteen minutes, single use, and earlier ones end. Throws `owner.exists`. */
  createOwnerLink(): Promise<string>
}

/**
 * Makes the authorization server and its signing key, if the store keeps none. This is the only place where its parts are
 * wired. Throws a `TypeError` with all problems of the options, `keys.unavailable` when the secret does not open the key.
 */
export async function createAuthorizationServer(
  rawOptions: AuthorizationServerOptions,
): Promise<AuthorizationServer> {
  const options = readOptions(rawOptions)
  const { issuer, policy, resources, fetch, secret, now, log } = options
  const store = makeFailClosedStore(options.store)
  const services: Services = {
    issuer,
    policy,
    resources,
    now,
    log,
    store,
    hasOwner: makeOwnerCheck(store),
    loadClient: makeClientLoader(store, makeDocumentLoader({ store, fetch, now })),
    loadKeys: makeKeyLoader({ store, secret, now }),
    passwords: makePasswords(),
    devices: makeKnownDevices({ secret, issuer, now }),
    takeRegistration: makeRegistrationBudget(now),
  }
  const routes = makeRoutes(issuer.path)
  await services.loadKeys()
  return {
    handle: async (request, peer) => toResponse(await answer(request, peer, routes, services)),
    answer: (request, peer) => answer(request, peer, routes, services),
    jwks: async () => (await services.loadKeys()).jwks,
    createOwnerLink: () => makeOwnerLink({ store, issuer: issuer.url, now: now() }),
  }
}

async function answer(
  request: WebRequest,
  peer: Peer,
  routes: readonly Route[],
  services: Services,
): Promise<Answer> {
  const found = findRoute(routes, new URL(request.url).pathname)
  try {
    if (found === undefined) throw new Refusal('http.path')
    const { route, id } = found
    if (request.method === 'OPTIONS' && route.surface === 'api') return preflightResponse(route)
    const endpoint = Object.hasOwn(route.methods, request.method) ? route.methods[request.method] : undefined
    if (endpoint === undefined) throw new Refusal('http.method')
    return withCors(await endpoint(request, { peer, id }, services), route)
  } catch (error) {
    return refuse(toRefusal(error), request, found?.route, services)
  }
}

/** The one place that answers refusals: a page for a browser, an OAuth error for a program. */
function refuse(
  refusal: Refusal,
  request: WebRequest,
  route: Route | undefined,
  { log }: Pick<Services, 'log'>,
): Answer {
  const isPage =
    route === undefined ? acceptsPages(request) : route.surface === 'page' && !acceptsOnlyJson(request)
  const reference = isPage ? makeId().slice(0, 8) : undefined
  logRefusal(log, refusal, { route: route?.name ?? 'none', ...(reference !== undefined && { reference }) })
  const allow =
    refusal.reason === 'http.method' && route !== undefined ? { Allow: allowedMethods(route) } : {}
  if (reference !== undefined) return errorPageResponse(refusal, reference, allow)
  return withCors(oauthErrorResponse(refusal, allow), route)
}

function acceptsPages(request: WebRequest): boolean {
  return (request.headers.get('accept') ?? '').includes('text/html')
}

/** Clients look at an authorization URL before they open it: `invalid_client` tells them to register again. */
function acceptsOnlyJson(request: WebRequest): boolean {
  const accept = request.headers.get('accept') ?? ''
  return accept.includes('application/json') && !accept.includes('text/html')
}

function allowedMethods(route: Route): string {
  return [...Object.keys(route.methods), ...(route.surface === 'api' ? ['OPTIONS'] : [])].join(', ')
}

/** Programs in browsers may call the machine endpoints; pages are for navigation only and never get these headers. */
function withCors(answer: Answer, route: Route | undefined): Answer {
  if (route?.surface !== 'api') return answer
  return {
    ...answer,
    headers: {
      ...answer.headers,
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Expose-Headers': 'Retry-After, WWW-Authenticate',
    },
  }
}

function preflightResponse(route: Route): Answer {
  return {
    status: 204,
    headers: {
      'Access-Control-Allow-Origin': '*',
      'Access-Control-Allow-Methods': allowedMethods(route),
      'Access-Control-Allow-Headers': 'Content-Type, Authorization, MCP-Protocol-Version',
      'Access-Control-Max-Age': '600',
    },
    body: null,
  }
}
