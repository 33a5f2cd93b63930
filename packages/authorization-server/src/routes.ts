import { account, startVisit, toAccount } from './account/account.ts'
import { accountLogin } from './account/account-login.ts'
import { changeGrant } from './account/change-grant.ts'
import { endSession, signOut } from './account/end-session.ts'
import { authorize, authorizeForm } from './endpoints/authorize.ts'
import { jwks } from './endpoints/jwks.ts'
import { metadata } from './endpoints/metadata.ts'
import { owner, ownerForm } from './endpoints/owner.ts'
import { register } from './endpoints/register.ts'
import { revoke } from './endpoints/revoke.ts'
import { token } from './endpoints/token.ts'
import { toTransaction, transaction } from './endpoints/transaction.ts'
import type { Endpoint } from './services.ts'
import { consent } from './steps/consent.ts'
import { login } from './steps/login.ts'

/** One place below the issuer. */
export interface Route {
  /** For the log; never the path of a request, which may hold a secret. */
  readonly name: string
  /** Its path, the issuer's included; `*` stands for one segment, the visit's id. */
  readonly segments: readonly string[]
  readonly methods: Readonly<Record<string, Endpoint>>
  /** `page`: a person in a browser. `api`: a program, from any web origin and without cookies (CORS). */
  readonly surface: 'page' | 'api'
}

/** Every route of the authorization server. */
export function makeRoutes(issuerPath: string): readonly Route[] {
  const api = (name: string, path: string, methods: Route['methods']): Route => ({
    name,
    segments: path.split('/'),
    methods,
    surface: 'api',
  })
  const page = (name: string, path: string, methods: Route['methods']): Route => ({
    name,
    segments: path.split('/'),
    methods,
    surface: 'page',
  })
  const at = (path: string): string => `${issuerPath}${path}`
  const discovery = [
    // RFC 8414 inserts the issuer's path after the well-known part; OpenID Connect appends the well-known part to it.
    `/.well-known/oauth-authorization-server${issuerPath}`,
    `/.well-known/openid-configuration${issuerPath}`,
    ...(issuerPath === '' ? [] : [at('/.well-known/openid-configuration')]),
  ]
  return [
    ...discovery.map((path) => api('metadata', path, { GET: metadata, HEAD: headOf(metadata) })),
    api('jwks', at('/jwks'), { GET: jwks, HEAD: headOf(jwks) }),
    api('register', at('/register'), { POST: register }),
    api('token', at('/token'), { POST: token }),
    api('revoke', at('/revoke'), { POST: revoke }),
    page('authorize', at('/authorize'), { GET: authorize, POST: authorizeForm }),
    page('transaction', at('/authorize/*'), { GET: transaction }),
    page('login', at('/authorize/*/login'), { GET: toTransaction, POST: login }),
    page('consent', at('/authorize/*/consent'), { GET: toTransaction, POST: consent }),
    page('account', at('/account'), { GET: startVisit }),
    page('account', at('/account/*'), { GET: account }),
    page('account login', at('/account/*/login'), { GET: toAccount, POST: accountLogin }),
    page('account grant', at('/account/*/grant'), { GET: toAccount, POST: changeGrant }),
    page('account session', at('/account/*/session'), { GET: toAccount, POST: endSession }),
    page('sign out', at('/account/*/sign-out'), { GET: toAccount, POST: signOut }),
    page('owner', at('/owner/*'), { GET: ownerForm, POST: owner }),
  ]
}

/** The same answer as to GET, without its body (RFC 9110 section 9.3.2). */
function headOf(endpoint: Endpoint): Endpoint {
  return async (request, visit, services) => ({ ...(await endpoint(request, visit, services)), body: null })
}

/** The route of a path, and what its `*` stands for. Compared as raw text, segment by segment. */
export function findRoute(
  routes: readonly Route[],
  path: string,
): { readonly route: Route; readonly id: string } | undefined {
  const segments = path.split('/')
  for (const route of routes) {
    if (route.segments.length !== segments.length) continue
    const star = route.segments.indexOf('*')
    const id = star === -1 ? '' : (segments[star] ?? '')
    if (star !== -1 && !/^[A-Za-z0-9_-]{16,128}$/.test(id)) continue
    if (route.segments.every((part, at) => at === star || part === segments[at])) return { route, id }
  }
  return undefined
}
