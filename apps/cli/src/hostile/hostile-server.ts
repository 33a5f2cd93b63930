import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { formatChallenge } from '@warder/protocol'
import { mcpAnswer } from './mcp-answer.ts'
import type { Sighting } from './sighting.ts'
import type { Answer, Place, Trap } from './trap.ts'

/** A loopback server with one trap a path: an MCP server and its authorization server, each dishonest in one way. */
export interface HostileServer {
  readonly origin: string
  placeOf(trap: Trap): Place
  seen(trap: Trap): readonly Sighting[]
  stop(): Promise<void>
}

/** What a trap remembers. */
interface Scene {
  readonly trap: Trap
  readonly seen: Sighting[]
  readonly codes: Map<string, { readonly challenge: string; readonly redirectUri: string }>
  readonly tokens: Set<string>
}

/** What an endpoint of a trap works on. */
interface Visit {
  readonly scene: Scene
  readonly at: Sighting['at']
  readonly place: Place
  readonly url: URL
  readonly request: IncomingMessage
  readonly body: string
}

/** Starts it on two free ports of this machine (or the first one on `port`). Everybody who asks is signed in at once. */
export async function startHostileServer(options: {
  readonly traps: readonly Trap[]
  readonly port?: number
  readonly onSeen?: (trap: Trap, sighting: Sighting) => void
}): Promise<HostileServer> {
  const scenes = new Map(options.traps.map((trap) => [trap.name, makeScene(trap, options.onSeen)]))
  const origins = { main: '', other: '' }
  const listen = async (at: Sighting['at'], port: number): Promise<Server> => {
    const server = createServer((request, response) => {
      answerVisit(request, response, at, scenes, origins).catch(() => response.destroy())
    })
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port, '127.0.0.1', resolve),
    )
    origins[at] = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return server
  }
  const servers = [await listen('main', options.port ?? 0), await listen('other', 0)]
  return {
    origin: origins.main,
    placeOf: (trap) => placeOf(trap.name, origins, 'main'),
    seen: (trap) => scenes.get(trap.name)?.seen ?? [],
    async stop() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}

function makeScene(trap: Trap, onSeen: ((trap: Trap, sighting: Sighting) => void) | undefined): Scene {
  const seen: Sighting[] = []
  if (onSeen !== undefined) {
    const push = seen.push.bind(seen)
    seen.push = (...sightings) => {
      for (const sighting of sightings) onSeen(trap, sighting)
      return push(...sightings)
    }
  }
  return { trap, seen, codes: new Map(), tokens: new Set() }
}

function placeOf(name: string, origins: Record<Sighting['at'], string>, at: Sighting['at']): Place {
  const base = `${origins[at]}/${name}`
  return { base, other: `${origins[at === 'main' ? 'other' : 'main']}/${name}`, resource: `${base}/mcp` }
}

type Endpoint = (visit: Visit) => Answer

/** What stands before or behind the name of the trap in a path, and who answers there. */
const endpoints: readonly (readonly [RegExp, Endpoint])[] = [
  [/^\/\.well-known\/oauth-protected-resource\/([^/]+)\/mcp$/, resourceMetadata],
  [/^\/\.well-known\/oauth-authorization-server\/([^/]+)$/, serverMetadata],
  [/^\/([^/]+)\/mcp$/, message],
  [/^\/([^/]+)\/register$/, register],
  [/^\/([^/]+)\/authorize$/, authorize],
  [/^\/([^/]+)\/token$/, token],
  [/^\/([^/]+)\/bait$/, bait],
]

async function answerVisit(
  request: IncomingMessage,
  response: ServerResponse,
  at: Sighting['at'],
  scenes: ReadonlyMap<string, Scene>,
  origins: Record<Sighting['at'], string>,
): Promise<void> {
  const body = await readText(request)
  const url = new URL(request.url ?? '/', origins[at])
  for (const [pattern, endpoint] of endpoints) {
    const name = pattern.exec(url.pathname)?.[1]
    const scene = name === undefined ? undefined : scenes.get(name)
    if (scene === undefined) continue
    const place = placeOf(scene.trap.name, origins, at)
    write(response, endpoint({ scene, at, place, url, request, body }))
    return
  }
  write(response, { status: 404, body: { error: 'not_found' } })
}

async function readText(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > 1_000_000) throw new Error('too long')
  }
  return body
}

function write(response: ServerResponse, { status = 200, headers, body, isEndless }: Answer): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...headers,
  })
  if (isEndless) response.write(' ')
  else response.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body))
}

function resourceMetadata({ scene, at, place }: Visit): Answer {
  scene.seen.push({ what: 'resource-metadata', at, fields: {} })
  const honest = {
    resource: place.resource,
    authorization_servers: [place.base],
    scopes_supported: ['notes:read'],
    bearer_methods_supported: ['header'],
  }
  const { resourceMetadata: trick } = scene.trap.tricks
  return at === 'main' && trick !== undefined ? trick(honest, place, scene.seen) : { body: honest }
}

function serverMetadata({ scene, at, place }: Visit): Answer {
  scene.seen.push({ what: 'server-metadata', at, fields: {} })
  const honest = {
    issuer: place.base,
    authorization_endpoint: `${place.base}/authorize`,
    token_endpoint: `${place.base}/token`,
    registration_endpoint: `${place.base}/register`,
    response_types_supported: ['code'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  }
  const { serverMetadata: trick } = scene.trap.tricks
  return at === 'main' && trick !== undefined ? trick(honest, place) : { body: honest }
}

function register({ scene, at, place, body }: Visit): Answer {
  const fields = readObject(body)
  scene.seen.push({ what: 'register', at, fields })
  const honest = { ...fields, client_id: `${at}-${randomBytes(8).toString('hex')}` }
  const { registration: trick } = scene.trap.tricks
  return { status: 201, body: at === 'main' && trick !== undefined ? trick(honest, place) : honest }
}

function authorize({ scene, at, place, url }: Visit): Answer {
  const fields = Object.fromEntries(url.searchParams)
  const { state, code_challenge: challenge = '', redirect_uri: redirectUri = '', ...rest } = fields
  scene.seen.push({
    what: 'authorize',
    at,
    fields: {
      ...rest,
      redirect_uri: redirectUri,
      hasState: state !== undefined,
      hasChallenge: challenge !== '',
    },
  })
  if (!isLoopback(redirectUri))
    return { status: 400, body: 'Only redirects to this machine are answered here.' }
  const code = randomBytes(24).toString('base64url')
  scene.codes.set(code, { challenge, redirectUri })
  const honest = { code, iss: place.base, ...(state !== undefined && { state }) }
  const { callback: trick } = scene.trap.tricks
  const target = new URL(redirectUri)
  const answer = at === 'main' && trick !== undefined ? trick(honest, place) : honest
  for (const [name, value] of Object.entries(answer)) target.searchParams.set(name, String(value))
  return { status: 302, headers: { location: target.href } }
}

function isLoopback(uri: string): boolean {
  return URL.canParse(uri) && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(new URL(uri).hostname)
}

function token({ scene, at, place, body }: Visit): Answer {
  const form = Object.fromEntries(new URLSearchParams(body))
  const { code = '', code_verifier: verifier = '', refresh_token: _, client_secret: __, ...fields } = form
  const known = scene.codes.get(code)
  const isProved = known?.challenge === createHash('sha256').update(verifier).digest('base64url')
  scene.seen.push({ what: 'token', at, fields: { ...fields, isProved } })
  scene.codes.delete(code)
  if (known === undefined || !isProved || known.redirectUri !== form['redirect_uri'])
    return { status: 400, body: { error: 'invalid_grant' } }
  const accessToken = randomBytes(24).toString('base64url')
  scene.tokens.add(accessToken)
  const honest = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 600,
    scope: 'notes:read',
  }
  const { token: trick } = scene.trap.tricks
  return at === 'main' && trick !== undefined ? trick(honest, place) : { body: honest }
}

function message(visit: Visit): Answer {
  const { scene, at, place, url, request, body } = visit
  const sent = readObject(body)
  const method = typeof sent['method'] === 'string' ? sent['method'] : ''
  const credentials = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
  const token = credentials === undefined ? 'none' : scene.tokens.has(credentials) ? 'ours' : 'foreign'
  const isInUrl = url.searchParams.has('access_token')
  scene.seen.push({ what: 'message', at, fields: {}, token, method, isInUrl })
  if (token !== 'ours') return refuse(visit)
  if (request.method !== 'POST') return { status: request.method === 'DELETE' ? 200 : 405 }
  const trick = scene.trap.tricks.message?.(method, place, scene.seen)
  if (trick === undefined) return mcpAnswer(sent)
  return typeof trick.body === 'object' && trick.body !== null
    ? { ...trick, body: { jsonrpc: '2.0', id: sent['id'] ?? null, ...trick.body } }
    : trick
}

function refuse({ scene, place }: Visit): Answer {
  const origin = new URL(place.base).origin
  const honest = {
    resourceMetadata: `${origin}/.well-known/oauth-protected-resource${new URL(place.resource).pathname}`,
    scope: 'notes:read',
  }
  const { challenge: trick } = scene.trap.tricks
  const params = trick === undefined ? honest : trick(honest, place)
  return {
    status: 401,
    headers: { 'www-authenticate': formatChallenge(params) },
    body: { error: 'unauthorized' },
  }
}

function bait({ scene, at }: Visit): Answer {
  scene.seen.push({ what: 'bait', at, fields: {} })
  return { body: 'Nobody should have come here.' }
}

function readObject(body: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    return {}
  }
}
