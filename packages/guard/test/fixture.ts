import { createGuard, type Guard, type GuardOptions, type ProtectOptions, protect } from '@warder/guard'
import { type Policy, type Principal, readPolicy } from '@warder/policy'
import { Refusal } from '@warder/protocol'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'

export const issuer = 'https://auth.example.com'
export const resource = 'https://mcp.example.com/notes/mcp'
export const metadataUrl = 'https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp'
/** The time of all tests, milliseconds since the epoch. */
export const start = Date.UTC(2026, 8, 1)
export const seconds = start / 1000

export const policyText = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:3001/mcp
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, implies: [notes:read], risk: high }
      notes:share: { title: Share notes }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: create_note, scopes: [notes:write] }
      - { match: publish_note, scopes: [notes:write, notes:share] }
      - { match: wipe_disk, never: true }
      - { match: "tmp_*", scopes: [notes:read] }
    resources:
      - { match: "notes:///public/*", scopes: [notes:read] }
      - { match: "notes:///drafts/*", scopes: [notes:write] }
    prompts:
      - { match: summarize, scopes: [notes:read] }
      - { match: attack_plan, never: true }
access:
  - who: { user: owner }
    client: any
    may: [notes:read, notes:write, notes:share]
`
export const policy: Policy = readPolicy(policyText)

export interface Signer {
  readonly jwk: JWK
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  readonly algorithm: string
  readonly kid: string
  /** A token of the right form, but for what the two arguments say; undefined removes a claim. */
  sign(
    claims?: Readonly<Record<string, unknown>>,
    header?: Readonly<Record<string, unknown>>,
  ): Promise<string>
}

export const goodClaims: Readonly<Record<string, unknown>> = {
  iss: issuer,
  sub: 'user-1',
  aud: resource,
  exp: seconds + 600,
  iat: seconds,
  jti: 'token-1',
  client_id: 'client-1',
  scope: 'notes:read',
  grant_id: 'grant-1',
  client_class: 'local',
}

export async function makeSigner(algorithm = 'ES256', kid = 'key-1'): Promise<Signer> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' }
  return {
    jwk,
    privateKey,
    publicKey,
    algorithm,
    kid,
    sign: (claims = {}, header = {}) => {
      const typed = { alg: algorithm, typ: 'at+jwt', kid, ...header }
      return new SignJWT({ ...goodClaims, ...claims }).setProtectedHeader(typed).sign(privateKey)
    },
  }
}

/** A token with any header and payload and a signature of anything at all. */
export const forge = (header: unknown, payload: unknown = goodClaims, signature = 'c2lnbmF0dXJl'): string =>
  `${[JSON.stringify(header), JSON.stringify(payload)]
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.')}.${signature}`

export const signer: Signer = await makeSigner()

export interface Clock {
  time: number
}

export function makeGuard(options: Partial<GuardOptions> = {}, clock: Clock = { time: start }): Guard {
  return createGuard({
    issuer,
    resource,
    server: 'notes',
    policy: () => policy,
    keys: { jwks: async () => ({ keys: [signer.jwk] }) },
    findUser: () => ({ names: ['owner'], groups: [] }),
    now: () => clock.time,
    ...options,
  })
}

export function authenticate(guard: Guard, token: string): Promise<Principal> {
  return guard.authenticate({ authorization: [`Bearer ${token}`] })
}

/** The reason of the refusal that the work ends with; `passed` when it ends well. Anything else that is thrown fails the test. */
export async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
  return 'passed'
}

export const endpoint = (guard: Guard, options: ProtectOptions = {}) =>
  protect(guard, async () => Response.json({ jsonrpc: '2.0', id: 1, result: {} }), options)

export interface Sent {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly url?: string
}

/** A POST as a client of 2025-11-25 sends it. */
export function post(body: unknown, { token, headers = {}, url = resource }: Sent = {}): Request {
  return new Request(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
  })
}

export const call = (name: string, args: object = {}, id: string | number = 1): object => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
})

export const request = (method: string, params: object = {}, id: string | number = 1): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})

/** The same message as a client of 2026-07-28 sends it, with its mirrored headers. */
export function postModern(message: object, sent: Sent = {}): Request {
  const { method, params } = message as { method: string; params: Record<string, unknown> }
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const name = params['name'] ?? params['uri']
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': method,
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
    ...sent.headers,
  }
  return post({ ...message, params: { ...params, _meta } }, { ...sent, headers })
}
