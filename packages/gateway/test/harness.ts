import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createGuard, type GuardOptions } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, onTestFinished } from 'vitest'
import {
  createGateway,
  type DecisionLog,
  type DecisionRecord,
  type ExchangeLimits,
  type Gateway,
  type GatewayOptions,
  gatewayServerOptions,
  type HttpUpstreamOptions,
  httpUpstream,
  type LogRecord,
  openDecisionLog,
  readDecisionLog,
  type Upstream,
} from '../src/index.ts'

const issuer = 'https://issuer.example'
const keys = await generateKeyPair('ES256')
const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256' }

export const policyText = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:1/mcp
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, implies: [notes:read] }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: create_note, scopes: [notes:write] }
      - { match: delete_everything, never: true }
    resources: [ { match: "notes:///*", scopes: [notes:read] } ]
    prompts: [ { match: summarize, scopes: [notes:read] } ]
access:
  - { who: { user: alice }, client: any, may: [notes:read, notes:write] }
  - { who: { user: bob }, client: any, may: [notes:read, notes:write] }
`

/** What reached the upstream: never less than everything. */
export interface Hit {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type Answer = (hit: Hit, res: ServerResponse, req: IncomingMessage) => void

export interface RecordingUpstream {
  readonly url: string
  readonly hits: Hit[]
  answer: Answer
}

export const tools = ['search_notes', 'create_note', 'delete_everything', 'not_in_policy'].map((name) => ({
  name,
  inputSchema: { type: 'object' },
}))

/** Speaks as much JSON-RPC as the tests need. */
export const plainAnswer: Answer = (hit, res) => {
  const message = hit.body.length === 0 ? {} : JSON.parse(hit.body.toString())
  if (message.id === undefined) {
    res.writeHead(202).end()
    return
  }
  const result = message.method === 'tools/list' ? { tools } : { content: [{ type: 'text', text: 'done' }] }
  res.writeHead(200, { 'content-type': 'application/json' })
  res.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }))
}

export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export async function startUpstream(answer: Answer = plainAnswer): Promise<RecordingUpstream> {
  const hits: Hit[] = []
  const server = createServer(async (req, res) => {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    const hit: Hit = {
      method: req.method ?? '',
      url: req.url ?? '',
      rawHeaders: req.rawHeaders,
      headers: req.headers as Record<string, string>,
      body: Buffer.concat(chunks),
    }
    hits.push(hit)
    upstream.answer(hit, res, req)
  })
  const upstream: RecordingUpstream = {
    url: `http://127.0.0.1:${await listen(server)}/mcp`,
    hits,
    answer,
  }
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return upstream
}

export interface GatewayUnderTest {
  readonly port: number
  readonly host: string
  readonly url: string
  readonly resource: string
  readonly gateway: Gateway
  readonly upstream: RecordingUpstream
  readonly log: DecisionLog
  readonly logDir: string
  records(): Promise<LogRecord[]>
  decisions(): Promise<DecisionRecord[]>
  token(claims?: TokenClaims): Promise<string>
  /** How many connections of clients are open. */
  connections(): Promise<number>
  /** How many requests had a token that is valid. */
  callers(): number
}

export interface TokenClaims {
  readonly sub?: string
  readonly client_id?: string
  readonly scope?: string
  readonly aud?: string
  readonly iss?: string
  readonly exp?: number
  readonly grant_id?: string
  readonly typ?: string
}

export interface GatewayParts {
  readonly upstream?: RecordingUpstream
  readonly allowedOrigins?: readonly string[]
  /** Beside the address that it listens on. */
  readonly allowedHosts?: readonly string[]
  readonly now?: () => number
  readonly log?: DecisionLog
  /** Of the state, where two gateways share it. */
  readonly secret?: Uint8Array
  readonly logDir?: string
  readonly guard?: Partial<GuardOptions>
  readonly http?: Partial<HttpUpstreamOptions>
  readonly routes?: readonly string[]
  /** Other limits of time than those of a real server, which no test can wait for. */
  readonly server?: ServerOptions
  readonly limits?: ExchangeLimits
  /** Instead of the HTTP upstream. */
  readonly stdio?: Upstream
}

export async function startGateway(parts: GatewayParts = {}): Promise<GatewayUnderTest> {
  const upstream = parts.upstream ?? (await startUpstream())
  const logDir = parts.logDir ?? join(await mkdtemp(join(tmpdir(), 'warder-gateway-')), 'log')
  const secret = parts.secret ?? randomBytes(32)
  const log = parts.log ?? (await openDecisionLog(logDir, { secret }))
  let gateway: Gateway | undefined
  const server = createServer({ ...gatewayServerOptions, ...parts.server }, (req, res) => {
    if (!gateway!.handle(req, res)) res.writeHead(404).end('nothing here')
  })
  const port = await listen(server)
  let callers = 0
  const host = `127.0.0.1:${port}`
  const makeRoute = (path: string): GatewayOptions['routes'][number] => ({
    path,
    guard: createGuard({
      resource: `http://${host}${path}`,
      server: 'notes',
      policy: () => policy,
      issuer,
      // Nothing that follows the check of a token waits for anything before the body is read.
      findUser: (_issuer, subject) => {
        callers += 1
        return { names: [subject], groups: [] }
      },
      keys: { jwks: async () => ({ keys: [jwk] }) },
      ...(parts.now === undefined ? {} : { now: parts.now }),
      ...parts.guard,
    }),
    upstream: parts.stdio ?? httpUpstream({ url: upstream.url, secret, ...parts.http }),
  })
  gateway = createGateway({
    routes: (parts.routes ?? ['/notes/mcp']).map(makeRoute),
    log,
    secret,
    allowedOrigins: parts.allowedOrigins ?? [],
    allowedHosts: [host, ...(parts.allowedHosts ?? [])],
    ...(parts.limits === undefined ? {} : { limits: parts.limits }),
    ...(parts.now === undefined ? {} : { now: parts.now }),
  })
  const resource = `http://${host}/notes/mcp`
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await gateway.close()
    await log.close()
    await rm(join(logDir, '..'), { recursive: true, force: true })
  })
  const records = async (): Promise<LogRecord[]> => {
    const result: LogRecord[] = []
    for await (const record of readDecisionLog(logDir)) result.push(record)
    return result
  }
  return {
    port,
    host,
    url: resource,
    resource,
    gateway,
    upstream,
    log,
    logDir,
    records,
    decisions: async () =>
      (await records()).filter((record): record is DecisionRecord => record.kind === 'decision'),
    token: (claims) => makeToken({ aud: resource, ...claims }),
    callers: () => callers,
    connections: promisify(server.getConnections.bind(server)),
  }
}

const policy = readPolicy(policyText)
let tokenNumber = 0

export async function makeToken({ typ, ...claims }: TokenClaims): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  tokenNumber += 1
  return await new SignJWT({
    iss: issuer,
    sub: 'alice',
    client_id: 'https://app.example/client.json',
    client_class: 'document',
    scope: 'notes:read',
    jti: `token-${tokenNumber}`,
    iat: now,
    exp: now + 600,
    auth_time: now,
    grant_id: 'grant-1',
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', typ: typ ?? 'at+jwt', kid: 'k1' })
    .sign(keys.privateKey)
}

export type Message = Record<string, unknown>

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** A request of revision 2026-07-28. */
export const modern = (method: string, params: Message = {}, id: unknown = 1): Message => ({
  jsonrpc: '2.0',
  id,
  method,
  params: { ...params, _meta: meta },
})

/** A request of revision 2025-11-25. */
export const legacy = (method: string, params: Message = {}, id: unknown = 1): Message => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
})

export const searchCall: Message = modern('tools/call', { name: 'search_notes', arguments: { text: 'x' } })

/** The headers that a client of 2026-07-28 sends with a message. */
export function modernHeaders(message: Message): Record<string, string> {
  const params = message['params'] as Message | undefined
  const name = params?.['name'] ?? params?.['uri']
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': String(message['method']),
    ...(typeof name === 'string' && message['method'] !== 'completion/complete' ? { 'mcp-name': name } : {}),
  }
}

export interface Sent {
  readonly method?: string
  readonly path?: string
  readonly token?: string | undefined
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>
  readonly body?: string | Uint8Array | Message
}

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly rawHeaders: readonly string[]
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: the tests compare members of whatever came
  readonly json: any
}

/** Sends one request over a connection of its own; headers as given, undefined removes a usual one. */
export async function send(gw: { readonly port: number }, sent: Sent): Promise<Got> {
  const res = await open(gw, sent)
  const chunks: Buffer[] = []
  for await (const chunk of res) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  return {
    status: res.statusCode ?? 0,
    headers: res.headers as Record<string, string>,
    rawHeaders: res.rawHeaders,
    text,
    json,
  }
}

/** The answer as soon as its head is there. */
export async function open(gw: { readonly port: number }, sent: Sent): Promise<IncomingMessage> {
  const { body } = sent
  const bytes =
    body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  const usual: Record<string, string | string[] | undefined> = {
    ...(bytes === undefined ? {} : { 'content-type': 'application/json' }),
    accept: 'application/json, text/event-stream',
    ...(sent.token === undefined ? {} : { authorization: `Bearer ${sent.token}` }),
    ...(isMessage(body) && usesModern(body) ? modernHeaders(body) : {}),
    ...sent.headers,
  }
  const headers = Object.fromEntries(Object.entries(usual).filter(([, value]) => value !== undefined))
  const req = request({
    host: '127.0.0.1',
    port: gw.port,
    path: sent.path ?? '/notes/mcp',
    method: sent.method ?? 'POST',
    headers: headers as Record<string, string | string[]>,
    agent: false,
  })
  req.end(bytes)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  // A server that has said no may close while the body is still on its way; the answer is what counts.
  req.on('error', () => undefined)
  return res
}

function isMessage(body: Sent['body']): body is Message {
  return typeof body === 'object' && !(body instanceof Uint8Array)
}

function usesModern(message: Message): boolean {
  return (message['params'] as Message | undefined)?.['_meta'] === meta
}

/** Writes bytes to a raw socket, and collects what comes until the peer closes or `until` is satisfied. */
export async function raw(
  gw: { readonly port: number },
  bytes: string | Uint8Array,
  until: (text: string) => boolean = () => false,
): Promise<{ readonly text: string; readonly closed: boolean }> {
  const socket = connect(gw.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  let text = ''
  return await new Promise((resolve) => {
    const finish = (closed: boolean): void => {
      socket.destroy()
      resolve({ text, closed })
    }
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (until(text)) finish(false)
    })
    socket.on('error', () => finish(true))
    socket.on('close', () => finish(true))
  })
}

/** Begins a call whose body never comes; resolves once the caller is known and the body is waited for. */
export async function startHalf(gw: GatewayUnderTest, token: string): Promise<Socket> {
  const before = gw.callers()
  const socket = connect(gw.port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(
    rawRequest([
      'POST /notes/mcp HTTP/1.1',
      `Host: ${gw.host}`,
      `Authorization: Bearer ${token}`,
      'Content-Type: application/json',
      'Content-Length: 100000',
    ]),
  )
  await eventually(gw.callers).toBe(before + 1)
  return socket
}

/** A whole request as raw text, with exactly these header lines. */
export function rawRequest(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}

export const statuses = (text: string): number[] =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map((match) => Number(match[1]))

/** Waits until the expectation behind it holds; how long that takes says nothing. */
export const eventually = <T>(read: () => T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(read, { timeout: 10_000, interval: 10 })

/** For tests that do much: a busy machine is no failure. */
export const slow: { readonly timeout: number } = { timeout: 30_000 }
