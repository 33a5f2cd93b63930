import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call } from '../protect/scripted-sign-in.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

/** How one client asks, as read from its source or seen on the wire. */
interface ClientShape {
  readonly client: string
  /** It looks for an open stream without a token at each start. */
  readonly probes?: 'GET'
  /** It sends this with discovery. */
  readonly discoveryRevision?: string
  /** The registration request; where the client asks for scopes there, `scope` is filled in. */
  readonly registration: Readonly<Record<string, unknown>>
  readonly registersScope?: true
  /** The redirect of the authorization request, if it is not the first registered one. */
  readonly redirectUri?: string
  /** Where it takes the scopes of the authorization request from. */
  readonly scopes: 'challenge' | 'resource metadata' | 'server metadata' | 'none'
  /** It adds this scope whether or not the server lists it. */
  readonly adds?: string
  readonly state: string
  /** It looks at the authorization URL itself before it opens the browser. */
  readonly looksFirst?: true
  /** Header of its token requests. */
  readonly accept?: string
  /** What it repeats when it refreshes. */
  readonly refreshRepeats: readonly ('scope' | 'resource')[]
}

const code = { grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'] }
const open = { ...code, token_endpoint_auth_method: 'none' }
const uuid = '2f6b0f2e-6a2b-4a7c-9d3e-0f6f3a1d8c55'

const shapes: readonly ClientShape[] = [
  {
    client: 'Claude Code',
    discoveryRevision: '2025-11-25',
    registration: {
      client_name: 'Claude Code (everything)',
      redirect_uris: ['http://localhost:53682/callback'],
      ...open,
    },
    scopes: 'challenge',
    state: randomBytes(32).toString('base64url'),
    refreshRepeats: ['resource'],
  },
  {
    client: 'Claude Code with a registration of an earlier start, on another port',
    discoveryRevision: '2025-11-25',
    registration: {
      client_name: 'Claude Code (everything)',
      redirect_uris: ['http://localhost:53682/callback'],
      ...open,
    },
    redirectUri: 'http://localhost:41999/callback',
    scopes: 'challenge',
    state: randomBytes(32).toString('base64url'),
    refreshRepeats: ['resource'],
  },
  ...['http://127.0.0.1:33418/', 'http://127.0.0.1:50123/', 'https://vscode.dev/redirect'].map(
    (redirectUri): ClientShape => ({
      client: `VS Code, answered at ${redirectUri}`,
      discoveryRevision: '2025-11-25',
      registration: {
        client_name: 'Visual Studio Code',
        client_uri: 'https://code.visualstudio.com',
        redirect_uris: [
          'https://insiders.vscode.dev/redirect',
          'https://vscode.dev/redirect',
          'http://127.0.0.1/',
          'http://127.0.0.1:33418/',
        ],
        ...open,
        application_type: 'native',
      },
      registersScope: true,
      redirectUri,
      scopes: 'challenge',
      state: 'vscode://dynamicauthprovider/localhost%3A8765/authorize?nonce%3D1a2b3c&windowId%3D2',
      refreshRepeats: [],
    }),
  ),
  {
    client: 'Cursor',
    registration: { client_name: 'Cursor', redirect_uris: ['http://localhost:8787/callback'], ...open },
    scopes: 'resource metadata',
    state: uuid,
    refreshRepeats: ['resource'],
  },
  {
    client: 'Cursor of before, with its own scheme',
    registration: {
      client_name: 'Cursor',
      redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'],
      ...open,
    },
    scopes: 'resource metadata',
    state: uuid,
    refreshRepeats: ['resource'],
  },
  {
    client: 'Codex',
    probes: 'GET',
    discoveryRevision: '2025-06-18',
    registration: {
      client_name: 'Codex',
      redirect_uris: ['http://127.0.0.1:40811/callback/5f0c1e9ab3'],
      ...open,
      application_type: 'native',
    },
    registersScope: true,
    scopes: 'challenge',
    adds: 'offline_access',
    state: randomBytes(16).toString('base64url'),
    accept: 'application/json',
    refreshRepeats: ['scope', 'resource'],
  },
  {
    client: 'Gemini CLI',
    registration: {
      client_name: 'Gemini CLI MCP Client',
      redirect_uris: ['http://localhost:7777/oauth/callback'],
      ...open,
      code_challenge_method: ['S256'],
      scope: '',
    },
    scopes: 'server metadata',
    state: randomBytes(16).toString('base64url'),
    accept: 'application/json, application/x-www-form-urlencoded',
    refreshRepeats: ['resource'],
  },
  {
    client: 'mcp-remote with a stored registration',
    probes: 'GET',
    discoveryRevision: '2025-11-25',
    registration: {
      client_name: 'MCP CLI Proxy',
      client_uri: 'https://github.com/modelcontextprotocol/mcp-cli',
      redirect_uris: ['http://localhost:11201/oauth/callback'],
      ...open,
      application_type: 'native',
      software_id: '2e6dc280-f3c3-4e01-99a7-8181dbd1d23d',
      software_version: '0.15.1',
    },
    registersScope: true,
    scopes: 'challenge',
    state: uuid,
    looksFirst: true,
    refreshRepeats: ['resource'],
  },
  {
    client: 'a client that names no scope and repeats everything',
    registration: { redirect_uris: ['http://127.0.0.1:18733/callback'] },
    scopes: 'none',
    state: 'x',
    refreshRepeats: ['scope', 'resource'],
  },
]

describe('the requests of clients that need an account or a desktop, replayed', () => {
  let warder: WarderForClients

  beforeAll(async () => {
    warder = await startWarderForClients()
  })
  afterAll(() => warder?.end())

  test.each(shapes.map((shape) => [shape.client, shape] as const))(
    '%s gets through to a token',
    async (_name, shape) => {
      const { endpoint, issuer } = warder

      // 401: a challenge without an error, which names metadata and scopes.
      if (shape.probes === 'GET') {
        const probe = await fetch(endpoint, { headers: { accept: 'application/json, text/event-stream' } })
        expect([probe.status, probe.headers.get('www-authenticate')]).toEqual([
          401,
          expect.not.stringContaining('error='),
        ])
      }
      const refused = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
        body: JSON.stringify({
          jsonrpc: '2.0',
          id: 0,
          method: 'initialize',
          params: {
            protocolVersion: '2025-06-18',
            capabilities: {},
            clientInfo: { name: 'replayed', version: '1' },
          },
        }),
      })
      expect(refused.status).toBe(401)
      const challenge = refused.headers.get('www-authenticate') ?? ''

      // Discovery
      const headers = {
        accept: 'application/json',
        ...(shape.discoveryRevision === undefined ? {} : { 'mcp-protocol-version': shape.discoveryRevision }),
      }
      const resourceMetadata = await json(
        await fetch(parameter(challenge, 'resource_metadata'), { headers }),
        200,
      )
      expect(resourceMetadata).toMatchObject({ resource: endpoint, authorization_servers: [issuer] })
      const metadata = await json(
        await fetch(`${issuer}/.well-known/oauth-authorization-server`, { headers }),
        200,
      )
      expect(metadata).toMatchObject({ issuer, code_challenge_methods_supported: ['S256'] })

      const scope = [
        ...{
          challenge: [parameter(challenge, 'scope')],
          'resource metadata': resourceMetadata['scopes_supported'] as string[],
          'server metadata': metadata['scopes_supported'] as string[],
          none: [],
        }[shape.scopes],
        ...(shape.adds === undefined ? [] : [shape.adds]),
      ].join(' ')

      // Registration
      const registered = await json(
        await fetch(String(metadata['registration_endpoint']), {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({
            ...shape.registration,
            ...(shape.registersScope === true ? { scope } : {}),
          }),
        }),
        201,
      )
      const redirectUris = shape.registration['redirect_uris'] as readonly string[]
      expect(registered).toMatchObject({ redirect_uris: redirectUris, token_endpoint_auth_method: 'none' })
      expect(registered).not.toHaveProperty('client_secret')

      // Authorization
      const clientId = String(registered['client_id'])
      const redirectUri = shape.redirectUri ?? redirectUris[0]!
      const verifier = randomBytes(32).toString('base64url')
      const url = new URL(String(metadata['authorization_endpoint']))
      url.search = String(
        new URLSearchParams({
          response_type: 'code',
          client_id: clientId,
          redirect_uri: redirectUri,
          code_challenge: createHash('sha256').update(verifier).digest('base64url'),
          code_challenge_method: 'S256',
          state: shape.state,
          resource: endpoint,
          ...(scope === '' ? {} : { scope }),
        }),
      )
      if (shape.looksFirst === true) {
        const looked = await fetch(url, { redirect: 'manual', headers: { accept: 'application/json' } })
        expect(looked.status).toBe(303)
      }
      const answer = await warder.answerTo(url)
      expect(answer.href.startsWith(`${redirectUri}?`), answer.href).toBe(true)
      expect(answer.searchParams.get('state')).toBe(shape.state)
      expect(answer.searchParams.get('iss')).toBe(issuer)

      // Tokens
      const redeem = (fields: Record<string, string>): Promise<Response> =>
        fetch(String(metadata['token_endpoint']), {
          method: 'POST',
          headers: shape.accept === undefined ? {} : { accept: shape.accept },
          body: new URLSearchParams({ client_id: clientId, ...fields }),
        })
      const tokens = await json(
        await redeem({
          grant_type: 'authorization_code',
          code: answer.searchParams.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: verifier,
          resource: endpoint,
        }),
        200,
      )
      expect((await call(endpoint, String(tokens['access_token']), 'tools/list')).status).toBe(200)
      const refreshed = await json(
        await redeem({
          grant_type: 'refresh_token',
          refresh_token: String(tokens['refresh_token']),
          ...(shape.refreshRepeats.includes('resource') ? { resource: endpoint } : {}),
          ...(shape.refreshRepeats.includes('scope') ? { scope: String(tokens['scope']) } : {}),
        }),
        200,
      )
      expect((await call(endpoint, String(refreshed['access_token']), 'tools/list')).status).toBe(200)
    },
  )

  test('the same requests with another port get no answer for a client that is not on this computer', async () => {
    const registered = await json(
      await fetch(`${warder.issuer}/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          client_name: 'Web',
          redirect_uris: ['https://app.example:8443/callback'],
          ...open,
        }),
      }),
      201,
    )
    const ask = async (redirectUri: string): Promise<number> => {
      const query = new URLSearchParams({
        response_type: 'code',
        client_id: String(registered['client_id']),
        redirect_uri: redirectUri,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        resource: warder.endpoint,
      })
      return (await fetch(`${warder.issuer}/authorize?${query}`, { redirect: 'manual' })).status
    }
    expect(await ask('https://app.example:9443/callback')).toBe(400)
    expect(await ask('https://app.example:8443/callback')).toBe(303)
  })
})

/** The value of a parameter of a challenge. */
function parameter(challenge: string, name: string): string {
  return new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? ''
}

async function json(response: Response, status: number): Promise<Record<string, unknown>> {
  const text = await response.text()
  expect([response.status, text]).toEqual([status, expect.stringContaining('{')])
  return JSON.parse(text)
}
