import { createHash, randomBytes } from 'node:crypto'
import { openBrowser } from '../protect/scripted-sign-in.ts'

/** An authorization server, as everybody sees it from outside. */
export interface Peer {
  readonly issuer: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly resource: string
  /** A scope that the user grants. */
  readonly scope: string
  /** Follows an authorization request through login and consent: where the browser ends, and what it shows there. */
  approve(url: string): Promise<{ readonly url: string; readonly html: string }>
}

export const callback = 'http://127.0.0.1:7777/callback'

/** Reads the metadata as clients do: RFC 8414 first, then OpenID Connect. */
export async function loadPeer(facts: Omit<Peer, 'metadata'>): Promise<Peer> {
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    const response = await fetch(`${facts.issuer}/.well-known/${name}`)
    if (response.ok) return { ...facts, metadata: (await response.json()) as Record<string, unknown> }
  }
  throw new Error(`no metadata at ${facts.issuer}`)
}

/** A person at our own pages. */
export function approveAtWarder(
  issuer: string,
  email: string,
  password: string,
  decision: 'allow' | 'deny' = 'allow',
): Peer['approve'] {
  return async (url) => {
    const browser = openBrowser(issuer)
    const first = await browser.get(url)
    if (!first.html.includes('name="password"')) return first
    const consent = await browser.submit(first, { email, password })
    return browser.submit(consent, { decision })
  }
}

/** What came back: a JSON object, or nothing. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Readonly<Record<string, unknown>>
}

export async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {}
  return { status: response.status, headers: response.headers, body }
}

/** Status and error code: what a client goes by. */
export const verdict = ({ status, body }: Answer): string =>
  body['error'] === undefined ? String(status) : `${status} ${String(body['error'])}`

export async function register(peer: Peer, metadata: Record<string, unknown> = {}): Promise<Answer> {
  return answerOf(
    await fetch(String(peer.metadata['registration_endpoint']), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [callback], application_type: 'native', ...metadata }),
    }),
  )
}

const registered = new WeakMap<Peer, Map<string, Promise<string>>>()

/** A client of this name, registered once for each peer: registrations are budgeted. */
export function registeredId(peer: Peer, name = 'one'): Promise<string> {
  const known = registered.get(peer) ?? new Map<string, Promise<string>>()
  registered.set(peer, known)
  const id = known.get(name) ?? register(peer).then(({ body }) => String(body['client_id']))
  known.set(name, id)
  return id
}

export const makeVerifier = (): string => randomBytes(32).toString('base64url')

/** The authorization request that must work, with the parts that a flow wants otherwise; `undefined` leaves one out. */
export function authorizationUrl(
  peer: Peer,
  clientId: string,
  verifier: string,
  changes: Readonly<Record<string, string | undefined>> = {},
): string {
  const params = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: callback,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: peer.scope,
    resource: peer.resource,
    state: 'unchanged',
    ...changes,
  }
  const url = new URL(String(peer.metadata['authorization_endpoint']))
  for (const [name, value] of Object.entries(params))
    if (value !== undefined) url.searchParams.set(name, value)
  return url.href
}

/** Where an authorization request led: the parameters that the client gets, or undefined where it gets nothing. */
export async function authorize(peer: Peer, url: string): Promise<URLSearchParams | undefined> {
  const end = await peer.approve(url)
  return end.url.startsWith('http://127.0.0.1') && new URL(end.url).origin !== peer.issuer
    ? new URL(end.url).searchParams
    : undefined
}

export async function redeem(peer: Peer, fields: Readonly<Record<string, string>>): Promise<Answer> {
  const body = new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: callback, ...fields })
  if (fields['grant_type'] === 'refresh_token') body.delete('redirect_uri')
  return answerOf(await fetch(String(peer.metadata['token_endpoint']), { method: 'POST', body }))
}

export const refresh = (peer: Peer, clientId: string, token: unknown, more = {}): Promise<Answer> =>
  redeem(peer, { grant_type: 'refresh_token', client_id: clientId, refresh_token: String(token), ...more })

export async function revoke(peer: Peer, clientId: string, token: unknown): Promise<Answer> {
  const body = new URLSearchParams({ client_id: clientId, token: String(token) })
  return answerOf(await fetch(String(peer.metadata['revocation_endpoint']), { method: 'POST', body }))
}

/** A client with a code that nobody has redeemed. */
export async function withCode(peer: Peer) {
  const clientId = await registeredId(peer)
  const verifier = makeVerifier()
  const answer = await authorize(peer, authorizationUrl(peer, clientId, verifier))
  const code = answer?.get('code')
  if (code === undefined || code === null) throw new Error(`no code: ${answer?.toString()}`)
  return { clientId, code, fields: { client_id: clientId, code, code_verifier: verifier } }
}

/** A client with its tokens. */
export async function withTokens(peer: Peer) {
  const { clientId, fields } = await withCode(peer)
  const { body } = await redeem(peer, fields)
  return { clientId, fields, access: body['access_token'], refreshToken: body['refresh_token'] }
}
