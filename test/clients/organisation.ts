import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, generateKeyPair, type JWTPayload, jwtVerify, SignJWT } from 'jose'

/** This client, as the identity provider and as the authorization servers of the organisation know it. */
export const atIdp = { id: 'at-idp', secret: 'canary-idp:secret' }
export const atServer = { id: 'at-server', secret: 'canary-server-secret' }
const platform = 'https://platform.example.com'
const grant = (name: string): string => `urn:ietf:params:oauth:grant-type:${name}`
const type = (name: string): string => `urn:ietf:params:oauth:token-type:${name}`

/** An identity provider, and MCP servers whose authorization servers trust it and a platform of workloads. */
export interface Organisation {
  readonly idp: string
  readonly servers: readonly McpServer[]
  /** Every form that came to a token or revocation endpoint, with the origin that it came to. */
  readonly forms: readonly Form[]
  /** The JWT of a workload for an audience. */
  workloadToken(audience: string, subject?: string): Promise<string>
  /** Ends every access token of the MCP servers, as their operators can. */
  endAccess(): void
  /** Ends every session at the identity provider. */
  endSessions(): void
  stop(): Promise<void>
}

export interface McpServer {
  readonly issuer: string
  readonly url: string
}

export interface Form {
  readonly at: string
  readonly path: string
  readonly fields: Readonly<Record<string, string>>
  readonly authorization: string | undefined
}

interface Asked {
  readonly origin: string
  readonly url: URL
  readonly body: string
  readonly fields: Readonly<Record<string, string>>
  readonly authorization: string | undefined
}

class Refused extends Error {}

export async function startOrganisation(): Promise<Organisation> {
  const [idpKeys, platformKeys] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
  const forms: Form[] = []
  const codes = new Map<string, URLSearchParams>()
  const [sessions, access, used] = [new Set<string>(), new Map<string, string>(), new Set<string>()]
  const sign = (payload: JWTPayload, typ = 'JWT'): Promise<string> =>
    new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ }).setIssuedAt().sign(idpKeys.privateKey)
  const soon = (): number => Math.floor(Date.now() / 1000) + 300

  const idToken = (issuer: string, nonce?: string): Promise<string> =>
    sign({ iss: issuer, sub: 'alice', email: 'alice@example.com', aud: atIdp.id, exp: soon(), nonce })

  const idJagFor = async (origin: string, fields: Asked['fields']): Promise<object> => {
    const about = { issuer: origin, audience: atIdp.id }
    const { payload } = await jwtVerify(fields['subject_token'] ?? '', idpKeys.publicKey, about)
    const { audience, resource } = fields
    // EM-06: the pairs that this provider knows.
    if (!servers.some(({ issuer, url }) => issuer === audience && url === resource)) throw new Refused('pair')
    const claims = {
      iss: origin,
      sub: payload.sub ?? '',
      aud: audience ?? '',
      resource,
      client_id: atServer.id,
    }
    const idJag = await sign({ ...claims, jti: randomUUID(), exp: soon() }, 'oauth-id-jag+jwt')
    return { access_token: idJag, issued_token_type: type('id-jag'), token_type: 'N_A', expires_in: 300 }
  }

  const tokensAtIdp = async ({ origin, fields, authorization }: Asked): Promise<object> => {
    checkClient(authorization, atIdp)
    if (fields['grant_type'] === grant('token-exchange')) return idJagFor(origin, fields)
    const refreshToken = `canary-refresh-${randomUUID()}`
    const tokens = { access_token: `canary-idp-access-${randomUUID()}`, token_type: 'Bearer' }
    if (fields['grant_type'] === 'refresh_token') {
      if (!sessions.has(fields['refresh_token'] ?? '')) throw new Refused('refresh')
      return { ...tokens, refresh_token: fields['refresh_token'], id_token: await idToken(origin) }
    }
    const query = codes.get(fields['code'] ?? '')
    codes.delete(fields['code'] ?? '')
    const proof = createHash('sha256')
      .update(fields['code_verifier'] ?? '')
      .digest('base64url')
    const isSame = query?.get('redirect_uri') === fields['redirect_uri']
    if (query?.get('code_challenge') !== proof || !isSame) throw new Refused('code')
    sessions.add(refreshToken)
    const fresh = await idToken(origin, query.get('nonce') ?? undefined)
    return { ...tokens, refresh_token: refreshToken, id_token: fresh }
  }

  const subjectAt = async ({ origin, fields, authorization }: Asked): Promise<string> => {
    const assertion = fields['assertion'] ?? fields['subject_token'] ?? ''
    if (fields['grant_type'] === grant('token-exchange')) {
      const { payload } = await jwtVerify(assertion, platformKeys.publicKey, { issuer: platform })
      return String(payload.sub)
    }
    if (decodeJwt(assertion).iss === platform) {
      // WI-01: a workload is no client.
      if (authorization !== undefined || fields['client_id'] !== undefined) throw new Refused('client')
      const about = { issuer: platform, audience: origin }
      return String((await jwtVerify(assertion, platformKeys.publicKey, about)).payload.sub)
    }
    checkClient(authorization, atServer)
    const about = { issuer: idp, audience: origin, typ: 'oauth-id-jag+jwt' }
    const { payload } = await jwtVerify(assertion, idpKeys.publicKey, about)
    // EM-12, EM-19.
    if (payload['client_id'] !== atServer.id || used.has(String(payload.jti))) throw new Refused('id-jag')
    used.add(String(payload.jti))
    return String(payload.sub)
  }

  const routes = (asked: Asked): object | Promise<object> | undefined => {
    const { origin, url } = asked
    const issues = { issuer: origin, token_endpoint: `${origin}/token` }
    const isIdp = origin === idp
    const documents: Readonly<Record<string, () => object | Promise<object>>> = {
      '/.well-known/oauth-authorization-server': () => ({
        ...issues,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        revocation_endpoint: `${origin}/revoke`,
        ...(isIdp && { authorization_endpoint: `${origin}/authorize`, scopes_supported: ['offline_access'] }),
      }),
      '/.well-known/oauth-protected-resource/mcp': () => ({
        resource: `${origin}/mcp`,
        authorization_servers: [origin],
      }),
      '/token': async () => {
        if (isIdp) return tokensAtIdp(asked)
        const token = `canary-access-${randomUUID()}`
        access.set(token, await subjectAt(asked))
        const issued = { issued_token_type: type('access_token') }
        return { access_token: token, token_type: 'Bearer', expires_in: 600, ...issued }
      },
      '/revoke': () => {
        sessions.delete(asked.fields['token'] ?? '')
        access.delete(asked.fields['token'] ?? '')
        return {}
      },
    }
    return documents[url.pathname]?.()
  }

  const sayYes = (url: URL, res: ServerResponse): void => {
    const code = `canary-code-${randomUUID()}`
    codes.set(code, url.searchParams)
    const back = new URL(url.searchParams.get('redirect_uri') ?? '')
    back.search = String(new URLSearchParams({ code, state: url.searchParams.get('state') ?? '' }))
    res.writeHead(302, { location: back.href }).end()
  }

  const answer = async (req: IncomingMessage, res: ServerResponse, origin: string): Promise<void> => {
    const asked = await readAsked(req, origin)
    const { url, fields, authorization } = asked
    const send = (status: number, body: object, headers: Record<string, string> = {}): void =>
      void res.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    if (['/token', '/revoke'].includes(url.pathname))
      forms.push({ at: origin, path: url.pathname, fields, authorization })
    if (url.pathname === '/authorize' && origin === idp) return sayYes(url, res)
    if (url.pathname === '/mcp') {
      const who = access.get(authorization?.replace('Bearer ', '') ?? '')
      if (who !== undefined) return answerMcp(asked, who, send, res)
      const at = `${origin}/.well-known/oauth-protected-resource/mcp`
      return send(401, {}, { 'www-authenticate': `Bearer resource_metadata="${at}"` })
    }
    try {
      const body = await routes(asked)
      send(body === undefined ? 404 : 200, body ?? {})
    } catch (error) {
      send(400, {
        error: error instanceof Refused && error.message === 'client' ? 'invalid_client' : 'invalid_grant',
      })
    }
  }

  const listeners = await Promise.all([1, 2, 3].map(() => listen(answer)))
  const [idp = '', ...others] = listeners.map(({ origin }) => origin)
  const servers = others.map((issuer) => ({ issuer, url: `${issuer}/mcp` }))
  return {
    idp,
    servers,
    forms,
    workloadToken: (audience, subject = 'job') =>
      new SignJWT({ iss: platform, sub: subject, aud: audience })
        .setProtectedHeader({ alg: 'ES256' })
        .setExpirationTime('10m')
        .sign(platformKeys.privateKey),
    endAccess: () => access.clear(),
    endSessions: () => sessions.clear(),
    stop: async () => void (await Promise.all(listeners.map(({ stop }) => stop()))),
  }
}

function checkClient(authorization: string | undefined, { id, secret }: typeof atIdp): void {
  const pair = [id, secret].map((part) => new URLSearchParams({ v: part }).toString().slice(2)).join(':')
  if (authorization !== `Basic ${Buffer.from(pair).toString('base64')}`) throw new Refused('client')
}

/** As little of MCP as a host needs, and one tool that says who asks. */
function answerMcp(
  { body }: Asked,
  who: string,
  send: (status: number, body: object) => void,
  res: ServerResponse,
): void {
  if (body === '') return void res.writeHead(405).end()
  const { id, method, params } = JSON.parse(body)
  if (id === undefined) return void res.writeHead(202).end()
  const results: Readonly<Record<string, object>> = {
    initialize: {
      protocolVersion: params?.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: 'organisation', version: '1.0.0' },
    },
    'tools/list': { tools: [{ name: 'whoami', inputSchema: { type: 'object' } }] },
    'tools/call': { content: [{ type: 'text', text: `you are ${who}` }] },
  }
  const result = results[method]
  const rest = result === undefined ? { error: { code: -32601, message: 'no such method' } } : { result }
  send(200, { jsonrpc: '2.0', id, ...rest })
}

async function readAsked(req: IncomingMessage, origin: string): Promise<Asked> {
  let body = ''
  for await (const chunk of req) body += chunk
  const fields = Object.fromEntries(new URLSearchParams(body))
  return {
    origin,
    url: new URL(req.url ?? '/', origin),
    body,
    fields,
    authorization: req.headers.authorization,
  }
}

async function listen(
  answer: (req: IncomingMessage, res: ServerResponse, origin: string) => Promise<void>,
): Promise<{ readonly origin: string; stop(): Promise<void> }> {
  const server = createServer((req, res) => void answer(req, res, origin).catch(() => res.destroy()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    origin,
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
