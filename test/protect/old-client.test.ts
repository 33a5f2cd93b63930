import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { openBrowser } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
const redirectUri = 'http://127.0.0.1:7778/callback'

const policyFor = (...names: readonly string[]): string => `
version: 1
servers:
${names
  .map(
    (name) => `
  ${name}:
    run: ${JSON.stringify([process.execPath, everything, 'stdio'])}
    scopes:
      ${name}:read: { title: Read, basic: true }
    tools:
      - { match: echo, scopes: ['${name}:read'] }`,
  )
  .join('\n')}
access:
  - { who: { user: owner }, client: any, may: [${names.map((name) => `'${name}:read'`).join(', ')}] }
`

/** Everything as a client of 2025-03-26 does it that has never heard of metadata and of resources (O03-02 to O03-05). */
describe('a client of 2025-03-26 that knows nothing but the URL of the server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-old-'))
  const verifier = randomBytes(32).toString('base64url')
  let warder: WarderProcess
  let origin: string
  let clientId: string
  let token: string

  const start = async (port: string, ...names: readonly string[]): Promise<void> => {
    writeFileSync(join(directory, 'warder.yaml'), policyFor(...names))
    warder = await startWarder({ directory, args: ['--port', port] })
    origin = new URL(warder.endpoint).origin
  }
  const authorizeUrl = (): string =>
    `${origin}/authorize?${new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      state: 'old',
    })}`
  const post = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(warder.endpoint, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...headers,
      },
      body: JSON.stringify(body),
    })

  beforeAll(async () => {
    await start('0', 'notes')
    await claimOwner(directory, owner)
  })
  afterAll(async () => {
    await warder.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  test('O03-02 O03-03 the metadata stands at the root of the origin, and names the default addresses', async () => {
    const metadata = await fetch(`${origin}/.well-known/oauth-authorization-server`)
    expect(await metadata.json()).toMatchObject({
      issuer: origin,
      authorization_endpoint: `${origin}/authorize`,
      token_endpoint: `${origin}/token`,
      registration_endpoint: `${origin}/register`,
    })
  })

  test('O03-04 O03-05 it registers, signs in and redeems its code at the default addresses', async () => {
    expect((await fetch(warder.endpoint, { method: 'POST' })).status).toBe(401)
    const registered = await fetch(`${origin}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Old', redirect_uris: [redirectUri] }),
    })
    clientId = String(((await registered.json()) as { client_id: string }).client_id)
    const browser = openBrowser(warder.issuer)
    const login = await browser.get(authorizeUrl())
    const end = await browser.submit(await browser.submit(login, { ...owner }), { decision: 'allow' })
    const redeemed = await fetch(`${origin}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: clientId,
        code: new URL(end.url).searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: verifier,
      }),
    })
    expect(redeemed.status).toBe(200)
    token = ((await redeemed.json()) as { access_token: string }).access_token
  })

  test('OT-10 it initializes, and calls a tool in a batch, without a version in any header', async () => {
    const opened = await post({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: '2025-03-26',
        capabilities: {},
        clientInfo: { name: 'old', version: '1' },
      },
    })
    expect(await opened.text()).toContain('"protocolVersion":"2025-03-26"')
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
    const echo = { name: 'echo', arguments: { message: 'hello from old' } }
    const answer = await post(
      [
        { jsonrpc: '2.0', id: 2, method: 'tools/call', params: echo },
        { jsonrpc: '2.0', id: 3, method: 'tools/list' },
      ],
      session,
    )
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).toContain('hello from old')
    expect(text).not.toContain('get-env')
  })

  test('O03-04 with two servers nothing is guessed: without a resource there is no sign-in', async () => {
    await warder.stop()
    await start(new URL(origin).port, 'notes', 'tickets')
    const refused = await fetch(authorizeUrl(), { redirect: 'manual' })
    const location = new URL(refused.headers.get('location') ?? '')
    expect(location.href.startsWith(redirectUri)).toBe(true)
    expect(location.searchParams.get('error')).toBe('invalid_target')
    const named = await fetch(`${authorizeUrl()}&resource=${encodeURIComponent(warder.endpoint)}`, {
      redirect: 'manual',
    })
    expect(new URL(named.headers.get('location') ?? '', origin).origin).toBe(origin)
  })
})
