import { createHash, randomUUID } from 'node:crypto'
import { type Answer, type HttpServer, type Seen, startHttpServer } from './http-server.ts'

/** What one test changes about an honest authorization server. */
export interface Defects {
  /** A path behind the origin, such as `/tenant1`. */
  readonly issuerPath?: string
  /** Where the metadata stands; default: the path-inserted place of RFC 8414. */
  readonly metadataPath?: string
  /** Changes members of the metadata; undefined takes one away. */
  readonly metadata?: (origin: string) => Readonly<Record<string, unknown>>
  /** Changes the answer of the registration; a `status` makes it an error. */
  readonly register?: (asked: Readonly<Record<string, unknown>>) => Answer | undefined
  /** Changes parameters of the authorization answer; undefined takes one away. */
  readonly callback?: (query: URLSearchParams) => Readonly<Record<string, string | undefined>>
  readonly token?: (form: URLSearchParams) => Answer | undefined
}

export interface TestAuthorizationServer extends HttpServer {
  readonly issuer: string
  /** Scopes of each access token that is good. */
  readonly tokens: Map<string, readonly string[]>
  readonly refreshTokens: Set<string>
  /** Registered client ids. */
  readonly clients: Set<string>
  /** What a test may change while it runs. */
  readonly defects: { -readonly [Name in keyof Defects]: Defects[Name] }
}

interface Code {
  readonly challenge: string
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: string | null
  readonly scope: string
}

/** An honest authorization server that signs everybody in at once, with one defect or none. */
export async function startAuthorizationServer(given: Defects = {}): Promise<TestAuthorizationServer> {
  const defects: TestAuthorizationServer['defects'] = { ...given }
  const codes = new Map<string, Code>()
  const tokens = new Map<string, readonly string[]>()
  const refreshTokens = new Set<string>()
  const clients = new Set<string>()
  const path = given.issuerPath ?? ''

  const metadata = (origin: string): Readonly<Record<string, unknown>> => ({
    issuer: `${origin}${path}`,
    authorization_endpoint: `${origin}/authorize`,
    token_endpoint: `${origin}/token`,
    registration_endpoint: `${origin}/register`,
    revocation_endpoint: `${origin}/revoke`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    authorization_response_iss_parameter_supported: true,
    ...defects.metadata?.(origin),
  })

  const register = ({ body }: Seen): Answer => {
    const asked = JSON.parse(body) as Readonly<Record<string, unknown>>
    const clientId = `client-${randomUUID()}`
    const changed = defects.register?.(asked)
    if (changed?.status !== undefined) return changed
    clients.add(clientId)
    return { status: 201, body: { client_id: clientId, ...asked, ...(changed?.body as object | undefined) } }
  }

  const authorize = ({ query }: Seen): Answer => {
    const code = randomUUID()
    codes.set(code, {
      challenge: query.get('code_challenge') ?? '',
      clientId: query.get('client_id') ?? '',
      redirectUri: query.get('redirect_uri') ?? '',
      resource: query.get('resource'),
      scope: query.get('scope') ?? '',
    })
    const params = {
      code,
      state: query.get('state') ?? '',
      iss: `${server.origin}${path}`,
      ...defects.callback?.(query),
    }
    const given = Object.entries(params).filter((pair): pair is [string, string] => pair[1] !== undefined)
    return {
      status: 302,
      headers: { location: `${query.get('redirect_uri')}?${new URLSearchParams(given)}` },
    }
  }

  const issue = (scope: string): Answer => {
    const [accessToken, refreshToken] = [`at-${randomUUID()}`, `rt-${randomUUID()}`]
    tokens.set(accessToken, scope === '' ? [] : scope.split(' '))
    refreshTokens.add(refreshToken)
    return {
      body: {
        access_token: accessToken,
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: refreshToken,
        ...(scope !== '' && { scope }),
      },
    }
  }

  const refuse = (error: string): Answer => ({ status: 400, body: { error } })

  const token = ({ form }: Seen): Answer => {
    const changed = defects.token?.(form)
    if (changed !== undefined) return changed
    if (form.get('grant_type') === 'refresh_token') {
      return refreshTokens.delete(form.get('refresh_token') ?? '') ? issue('') : refuse('invalid_grant')
    }
    const code = codes.get(form.get('code') ?? '')
    codes.delete(form.get('code') ?? '')
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    const isGood =
      code !== undefined &&
      code.challenge === challenge &&
      code.redirectUri === form.get('redirect_uri') &&
      code.resource === form.get('resource')
    return isGood ? issue(code.scope) : refuse('invalid_grant')
  }

  const server = await startHttpServer((request) => {
    if (request.path === (defects.metadataPath ?? `/.well-known/oauth-authorization-server${path}`)) {
      return { body: metadata(server.origin) }
    }
    if (request.path === '/register') return register(request)
    if (request.path === '/authorize') return authorize(request)
    if (request.path === '/token') return token(request)
    if (request.path === '/revoke') return { body: '' }
    return { status: 404 }
  })
  return { ...server, issuer: `${server.origin}${path}`, tokens, refreshTokens, clients, defects }
}
