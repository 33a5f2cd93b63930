import { decodeJwt, decodeProtectedHeader } from 'jose'
import {
  authorizationUrl,
  authorize,
  makeVerifier,
  type Peer,
  redeem,
  refresh,
  register,
  registeredId,
  revoke,
  verdict,
  withCode,
  withTokens,
} from './peer.ts'

/** One thing that a client may do, and what it sees: the same at both servers, or different for a reason that the docs give. */
export interface Flow {
  readonly does: string
  readonly sees: { readonly both: unknown } | Divergence
  run(peer: Peer): Promise<unknown>
}

/** Explained under its id in docs/divergences.md. */
export interface Divergence {
  readonly id: string
  readonly ours: unknown
  readonly theirs: unknown
}

/** Asks with one part of the request changed, and answers what the client gets: `iss` and the error, or that it gets nothing. */
async function askWith(peer: Peer, changes: Readonly<Record<string, string | undefined>>): Promise<unknown> {
  const answer = await authorize(
    peer,
    authorizationUrl(peer, await registeredId(peer), makeVerifier(), changes),
  )
  if (answer === undefined) return 'nothing'
  return {
    error: answer.get('error') ?? 'none',
    iss: answer.get('iss') === peer.issuer,
    state: answer.get('state') === 'unchanged',
  }
}

export const flows: readonly Flow[] = [
  {
    does: 'metadata: what is offered',
    sees: { both: { issuer: true, responses: ['code'], pkce: ['S256'], iss: true } },
    async run({ issuer, metadata }) {
      return {
        issuer: metadata['issuer'] === issuer,
        responses: metadata['response_types_supported'],
        pkce: metadata['code_challenge_methods_supported'],
        iss: metadata['authorization_response_iss_parameter_supported'],
      }
    },
  },
  {
    does: 'metadata at the address of RFC 8414',
    sees: { both: 200 },
    run: async ({ issuer }) => (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).status,
  },
  {
    does: 'metadata: grants',
    sees: { both: ['authorization_code', 'refresh_token'] },
    run: async ({ metadata }) => metadata['grant_types_supported'],
  },
  {
    does: 'register a native client on loopback',
    sees: {
      id: 'D01',
      ours: { status: 201, id: 'string', secret: 'undefined' },
      theirs: { status: 201, id: 'string', secret: 'string' },
    },
    async run(peer) {
      const { status, body } = await register(peer)
      return { status, id: typeof body['client_id'], secret: typeof body['client_secret'] }
    },
  },
  {
    does: 'register without application_type, then use another port',
    sees: { id: 'D02', ours: { status: 201, reached: true }, theirs: { status: 201, reached: false } },
    async run(peer) {
      const { status, body } = await register(peer, {
        application_type: undefined,
        redirect_uris: ['http://localhost:7777/callback'],
      })
      const other = 'http://localhost:7778/callback'
      const url = authorizationUrl(peer, String(body['client_id']), makeVerifier(), { redirect_uri: other })
      const { url: end } = await peer.approve(url)
      return { status, reached: end.startsWith(other) }
    },
  },
  {
    does: 'register with a grant that is not offered beside one that is',
    sees: { id: 'D03', ours: '201', theirs: '400 invalid_client_metadata' },
    run: async (peer) =>
      verdict(
        await register(peer, {
          grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
        }),
      ),
  },
  {
    does: 'register with a redirect URI of another site in plain http',
    sees: { both: '400 invalid_redirect_uri' },
    run: async (peer) => verdict(await register(peer, { redirect_uris: ['http://other.example/callback'] })),
  },
  {
    does: 'register from a page of another origin (preflight)',
    sees: { id: 'D04', ours: true, theirs: false },
    async run({ metadata }) {
      const headers = {
        origin: 'https://page.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      }
      const answer = await fetch(String(metadata['registration_endpoint']), { method: 'OPTIONS', headers })
      return answer.headers.has('access-control-allow-origin')
    },
  },
  {
    does: 'authorize',
    sees: { both: { error: 'none', iss: true, state: true } },
    run: (peer) => askWith(peer, {}),
  },
  {
    does: 'authorize at another port of 127.0.0.1',
    sees: { both: true },
    async run(peer) {
      const other = 'http://127.0.0.1:7778/callback'
      const url = authorizationUrl(peer, await registeredId(peer), makeVerifier(), { redirect_uri: other })
      return (await peer.approve(url)).url.startsWith(other)
    },
  },
  {
    does: 'authorize with a redirect URI that is not registered',
    sees: { both: 'nothing' },
    run: (peer) => askWith(peer, { redirect_uri: 'http://127.0.0.1:7777/elsewhere' }),
  },
  {
    does: 'authorize with a client that does not exist',
    sees: { both: 'nothing' },
    run: (peer) => askWith(peer, { client_id: 'nobody' }),
  },
  {
    does: 'authorize without PKCE',
    sees: { both: { error: 'invalid_request', iss: true, state: true } },
    run: (peer) => askWith(peer, { code_challenge: undefined, code_challenge_method: undefined }),
  },
  {
    does: 'authorize with PKCE plain',
    sees: { both: { error: 'invalid_request', iss: true, state: true } },
    run: (peer) => askWith(peer, { code_challenge_method: 'plain' }),
  },
  {
    does: 'authorize with response_type token',
    sees: {
      id: 'D05',
      ours: { error: 'unsupported_response_type', iss: true, state: true },
      theirs: { error: 'none', iss: false, state: false },
    },
    run: (peer) => askWith(peer, { response_type: 'token' }),
  },
  {
    does: 'authorize for a resource that is not served',
    sees: { both: { error: 'invalid_target', iss: true, state: true } },
    run: (peer) => askWith(peer, { resource: 'https://other.example/mcp' }),
  },
  {
    does: 'authorize without a resource where one is served',
    sees: { both: { error: 'none', iss: true, state: true } },
    run: (peer) => askWith(peer, { resource: undefined }),
  },
  {
    does: 'authorize for an unknown scope alone',
    sees: {
      id: 'D06',
      ours: { error: 'invalid_scope', iss: true, state: true },
      theirs: { error: 'access_denied', iss: true, state: true },
    },
    run: (peer) => askWith(peer, { scope: 'unheard:of' }),
  },
  {
    does: 'authorize for a known and an unknown scope',
    sees: { both: { error: 'none', iss: true, state: true } },
    run: (peer) => askWith(peer, { scope: `${peer.scope} unheard:of` }),
  },
  {
    does: 'authorize without a scope',
    sees: {
      id: 'D07',
      ours: { error: 'none', iss: true, state: true },
      theirs: { error: 'access_denied', iss: true, state: true },
    },
    run: (peer) => askWith(peer, { scope: undefined }),
  },
  {
    does: 'redeem a code',
    sees: {
      both: {
        status: 200,
        store: 'no-store',
        type: 'bearer',
        refreshable: 'string',
        typ: 'at+jwt',
        claims: [true, true, 'string', true, true],
      },
    },
    async run(peer) {
      const { fields } = await withCode(peer)
      const { status, headers, body } = await redeem(peer, fields)
      const token = String(body['access_token'])
      const { iss, aud, sub, client_id: client, scope } = decodeJwt(token)
      return {
        status,
        store: headers.get('cache-control'),
        type: String(body['token_type']).toLowerCase(),
        refreshable: typeof body['refresh_token'],
        typ: decodeProtectedHeader(token).typ,
        claims: [
          iss === peer.issuer,
          aud === peer.resource,
          typeof sub,
          client === fields.client_id,
          scope === peer.scope,
        ],
      }
    },
  },
  {
    does: 'redeem with a wrong verifier',
    sees: { both: '400 invalid_grant' },
    async run(peer) {
      const { fields } = await withCode(peer)
      return verdict(await redeem(peer, { ...fields, code_verifier: makeVerifier() }))
    },
  },
  {
    does: 'redeem rightly after a wrong verifier',
    sees: { both: '200' },
    async run(peer) {
      const { fields } = await withCode(peer)
      await redeem(peer, { ...fields, code_verifier: makeVerifier() })
      return verdict(await redeem(peer, fields))
    },
  },
  {
    does: 'redeem without a verifier',
    sees: { both: '400 invalid_grant' },
    async run(peer) {
      const { client_id, code } = (await withCode(peer)).fields
      return verdict(await redeem(peer, { client_id, code }))
    },
  },
  {
    does: 'redeem with another redirect URI',
    sees: { both: '400 invalid_grant' },
    async run(peer) {
      const { fields } = await withCode(peer)
      return verdict(await redeem(peer, { ...fields, redirect_uri: 'http://127.0.0.1:7777/elsewhere' }))
    },
  },
  {
    does: 'redeem as another client',
    sees: { both: '400 invalid_grant' },
    async run(peer) {
      const { fields } = await withCode(peer)
      return verdict(await redeem(peer, { ...fields, client_id: await registeredId(peer, 'another') }))
    },
  },
  {
    does: 'redeem for another resource',
    sees: { both: '400 invalid_target' },
    async run(peer) {
      const { fields } = await withCode(peer)
      return verdict(await redeem(peer, { ...fields, resource: 'https://other.example/mcp' }))
    },
  },
  {
    does: 'redeem a code twice; then refresh with what the first brought',
    sees: { both: ['400 invalid_grant', '400 invalid_grant'] },
    async run(peer) {
      const { clientId, fields, refreshToken } = await withTokens(peer)
      const again = verdict(await redeem(peer, fields))
      return [again, verdict(await refresh(peer, clientId, refreshToken))]
    },
  },
  {
    does: 'refresh: a new refresh token each time',
    sees: { both: { status: 200, rotated: 'string' } },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      const { status, body } = await refresh(peer, clientId, refreshToken)
      return { status, rotated: body['refresh_token'] !== refreshToken && typeof body['refresh_token'] }
    },
  },
  {
    does: 'refresh again at once with the same token, as after a lost answer; then with the new one',
    sees: { id: 'D08', ours: ['200', '200'], theirs: ['400 invalid_grant', '400 invalid_grant'] },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      const { body } = await refresh(peer, clientId, refreshToken)
      const again = await refresh(peer, clientId, refreshToken)
      const after = await refresh(peer, clientId, body['refresh_token'])
      return [verdict(again), verdict(after)]
    },
  },
  {
    does: 'refresh with a token of two generations before; then with the newest',
    sees: { both: ['400 invalid_grant', '400 invalid_grant'] },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      const second = (await refresh(peer, clientId, refreshToken)).body['refresh_token']
      const third = (await refresh(peer, clientId, second)).body['refresh_token']
      return [
        verdict(await refresh(peer, clientId, refreshToken)),
        verdict(await refresh(peer, clientId, third)),
      ]
    },
  },
  {
    does: 'refresh as another client',
    sees: { both: '400 invalid_grant' },
    async run(peer) {
      const { refreshToken } = await withTokens(peer)
      return verdict(await refresh(peer, await registeredId(peer, 'another'), refreshToken))
    },
  },
  {
    does: 'refresh with a scope that was not granted',
    sees: { both: '400 invalid_scope' },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      return verdict(await refresh(peer, clientId, refreshToken, { scope: 'unheard:of' }))
    },
  },
  {
    does: 'refresh for another resource',
    sees: { both: '400 invalid_target' },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      return verdict(await refresh(peer, clientId, refreshToken, { resource: 'https://other.example/mcp' }))
    },
  },
  {
    does: 'revoke the refresh token; then refresh',
    sees: { both: ['200', '400 invalid_grant'] },
    async run(peer) {
      const { clientId, refreshToken } = await withTokens(peer)
      return [
        verdict(await revoke(peer, clientId, refreshToken)),
        verdict(await refresh(peer, clientId, refreshToken)),
      ]
    },
  },
  {
    does: 'revoke the access token; then refresh',
    sees: { id: 'D09', ours: ['200', '400 invalid_grant'], theirs: ['400 unsupported_token_type', '200'] },
    async run(peer) {
      const { clientId, access, refreshToken } = await withTokens(peer)
      return [
        verdict(await revoke(peer, clientId, access)),
        verdict(await refresh(peer, clientId, refreshToken)),
      ]
    },
  },
  {
    does: 'revoke what is no token',
    sees: { both: '200' },
    run: async (peer) => verdict(await revoke(peer, await registeredId(peer), 'nothing')),
  },
  {
    does: 'an unknown grant type',
    sees: { both: '400 unsupported_grant_type' },
    run: async (peer) =>
      verdict(await redeem(peer, { grant_type: 'password', client_id: await registeredId(peer) })),
  },
]
