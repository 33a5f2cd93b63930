import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto'
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  EmbeddedJWK,
  exportJWK,
  generateKeyPair,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose'
import { type Configuration, errors, Provider } from 'oidc-provider'

export const clientKey = generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const clientSecret = 'canary-secret:with+colon and space'
const subject = 'alice'
const scopes = ['notes:read', 'notes:write']

/** A resource of the test's own making, and in front of it a real `oidc-provider` as its authorization server. */
export interface ProtectedServer {
  readonly issuer: string
  /** The MCP endpoint; a GET with a good token answers its claims. */
  readonly url: string
  /** Paths that the authorization server was asked for, in order. */
  readonly asked: readonly string[]
  /** Authorization schemes that the resource saw. */
  readonly schemes: readonly string[]
  /** Proof ids that the resource saw. */
  readonly proofs: ReadonlySet<string>
  /** A person who signs in and says yes wherever it is asked; answers the last URL. */
  follow(url: string, answer?: Readonly<Record<string, string>>): Promise<URL>
  stop(): Promise<void>
}

/** `dpop`: the resource says that it knows bound tokens; `nonce`: both servers want their own nonces in proofs. */
export async function startProtectedServer(
  options: { readonly dpop?: boolean; readonly nonce?: boolean } = {},
): Promise<ProtectedServer> {
  const front = await listen()
  const back = await listen()
  const issuer = `http://localhost:${portOf(front)}`
  const url = `http://127.0.0.1:${portOf(back)}/mcp`
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const named = { alg: 'ES256', use: 'sig', kid: 'one' }
  const provider = makeProvider({
    issuer,
    url,
    jwk: { ...(await exportJWK(privateKey)), ...named },
    ...options,
  })
  const asked: string[] = []
  const answer = provider.callback()
  front.on('request', (req, res) => {
    asked.push(req.url?.split('?')[0] ?? '')
    if (req.url?.startsWith('/interaction/') === true) sayYes(provider, req, res).catch(() => res.destroy())
    else void answer(req, res)
  })
  const seen = { schemes: [] as string[], proofs: new Set<string>() }
  const keys = { keys: [{ ...(await exportJWK(publicKey)), ...named }] }
  back.on('request', makeResource({ issuer, url, keys, seen, ...options }))
  return {
    issuer,
    url,
    asked,
    ...seen,
    follow: (at, fields = {}) => followForms(at, fields),
    async stop() {
      for (const server of [front, back]) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

async function listen(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

function makeProvider(of: {
  readonly issuer: string
  readonly url: string
  readonly jwk: object
  readonly nonce?: boolean
}): Provider {
  const publicJwk = { ...clientKey.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256' }
  const device = 'urn:ietf:params:oauth:grant-type:device_code'
  const noRedirects = { redirect_uris: [], response_types: [] }
  return new Provider(of.issuer, {
    jwks: { keys: [of.jwk] },
    cookies: { keys: [randomUUID()] },
    scopes: ['openid', 'offline_access', ...scopes],
    responseTypes: ['code'],
    rotateRefreshToken: true,
    issueRefreshToken: async () => true,
    ttl: {
      AccessToken: 600,
      ClientCredentials: 600,
      RefreshToken: 3600,
      Grant: 3600,
      Session: 3600,
      Interaction: 600,
      IdToken: 600,
      DeviceCode: 300,
    },
    findAccount: (_context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    renderError(context, { error }) {
      context.body = error
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: [
      {
        client_id: 'host',
        client_secret: clientSecret,
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: ['http://127.0.0.1:7777/callback'],
      },
      {
        client_id: 'basic',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'client_secret_basic',
        ...noRedirects,
      },
      {
        client_id: 'post',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        token_endpoint_auth_method: 'client_secret_post',
        ...noRedirects,
      },
      {
        client_id: 'keyed',
        jwks: { keys: [publicJwk] },
        grant_types: ['client_credentials', 'refresh_token', device],
        token_endpoint_auth_method: 'private_key_jwt',
        ...noRedirects,
      },
      {
        client_id: 'bound',
        client_secret: clientSecret,
        grant_types: ['client_credentials'],
        dpop_bound_access_tokens: true,
        ...noRedirects,
      },
      {
        client_id: 'tv',
        grant_types: [device, 'refresh_token'],
        token_endpoint_auth_method: 'none',
        ...noRedirects,
      },
    ],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: async (_context, client, token) => token.clientId === client.clientId,
      },
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => of.nonce === true },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: async (context, form) => show(context, form),
        userCodeConfirmSource: async (context, form) => show(context, form),
        successSource: async (context) => show(context, 'done'),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => of.url,
        useGrantedResource: () => true,
        getResourceServerInfo(_context, indicator) {
          if (indicator !== of.url) throw new errors.InvalidTarget()
          return {
            scope: scopes.join(' '),
            audience: indicator,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          }
        },
      },
    },
  } satisfies Configuration)
}

function show(context: { body?: unknown }, html: string): void {
  context.body = html
}

function makeResource(of: {
  readonly issuer: string
  readonly url: string
  readonly keys: JSONWebKeySet
  readonly seen: { readonly schemes: string[]; readonly proofs: Set<string> }
  readonly dpop?: boolean
  readonly nonce?: boolean
}): RequestListener {
  const origin = new URL(of.url).origin
  const challenge = `${of.dpop ? 'DPoP' : 'Bearer'} resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp", scope="notes:read"`
  const keySet = createLocalJWKSet(of.keys)
  const nonce = randomUUID()
  return async (req, res) => {
    if (req.url === '/.well-known/oauth-protected-resource/mcp') {
      return void sendJson(res, 200, {
        resource: of.url,
        authorization_servers: [of.issuer],
        scopes_supported: scopes,
        ...(of.dpop && { dpop_signing_alg_values_supported: ['ES256'] }),
      })
    }
    const [scheme = '', token = ''] = (req.headers.authorization ?? '').split(' ')
    of.seen.schemes.push(scheme)
    try {
      const { payload } = await jwtVerify(token, keySet, { issuer: of.issuer, audience: of.url })
      const jkt = (payload['cnf'] as { jkt?: string } | undefined)?.jkt
      if ((jkt === undefined) !== (scheme === 'Bearer')) throw new Error('the scheme does not fit the token')
      if (jkt !== undefined) {
        const proof = await checkProof(req, `${origin}${req.url?.split('?')[0]}`, token, jkt, of.seen.proofs)
        if (of.nonce === true && proof['nonce'] !== nonce) {
          return void sendJson(
            res,
            401,
            {},
            { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce },
          )
        }
      }
      sendJson(res, 200, payload)
    } catch {
      sendJson(res, 401, {}, { 'www-authenticate': challenge })
    }
  }
}

async function checkProof(
  req: IncomingMessage,
  htu: string,
  token: string,
  jkt: string,
  proofs: Set<string>,
): Promise<Readonly<Record<string, unknown>>> {
  const { payload, protectedHeader } = await jwtVerify(String(req.headers['dpop']), EmbeddedJWK, {
    typ: 'dpop+jwt',
  })
  const ath = createHash('sha256').update(token).digest('base64url')
  const isFresh = !proofs.has(String(payload.jti))
  proofs.add(String(payload.jti))
  const thumbprint = await calculateJwkThumbprint(protectedHeader.jwk ?? {})
  const isGood = payload['htm'] === req.method && payload['htu'] === htu && payload['ath'] === ath
  const hasPrivatePart = Object.hasOwn(protectedHeader.jwk ?? {}, 'd')
  if (isGood && isFresh && thumbprint === jkt && !hasPrivatePart) return payload
  throw new Error('the proof is not good')
}

function sendJson(
  res: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

async function sayYes(provider: Provider, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { prompt, params, grantId } = await provider.interactionDetails(req, res)
  if (prompt.name === 'login') {
    return void (await provider.interactionFinished(req, res, { login: { accountId: subject } }))
  }
  const earlier = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = earlier ?? new provider.Grant({ accountId: subject, clientId: String(params['client_id']) })
  const { missingOIDCScope, missingResourceScopes } = prompt.details as {
    readonly missingOIDCScope?: readonly string[]
    readonly missingResourceScopes?: Readonly<Record<string, readonly string[]>>
  }
  if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope.join(' '))
  for (const [indicator, names] of Object.entries(missingResourceScopes ?? {}))
    grant.addResourceScope(indicator, names.join(' '))
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
}

/** Follows redirects on the provider's own host and submits its forms, with cookies, as a browser would. */
async function followForms(start: string, answer: Readonly<Record<string, string>>): Promise<URL> {
  const { host } = new URL(start)
  const cookies = new Map<string, string>()
  let [url, body] = [new URL(start), undefined as URLSearchParams | undefined]
  for (let steps = 0; steps < 30; steps++) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      headers: { cookie },
      redirect: 'manual',
      ...(body && { method: 'POST', body }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      cookies.set(name, value)
    }
    const sent = body
    body = undefined
    const location = response.headers.get('location')
    if (location !== null) {
      url = new URL(location, url)
      if (url.host !== host) return url
      continue
    }
    const html = await response.text()
    const action = /<form[^>]* action="([^"]+)"/.exec(html)?.[1]
    if (action === undefined) return url
    const hidden = [...html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    if (sent?.has('abort') === true) return url
    body = new URLSearchParams(hidden.map(([, name = '', value = '']) => [name, value]))
    for (const [name, value] of Object.entries(answer)) body.set(name, value)
    url = new URL(action, url)
  }
  throw new Error('the forms have no end')
}
