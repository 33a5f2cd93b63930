import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  type ClientOptions,
  createClient,
  openMemory,
  SignInRequired,
  StoreUnavailable,
} from '@warder/client'
import { createUserFetch } from '@warder/outbound'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Rig, startRig } from './rig/start-rig.ts'

const post = { method: 'POST', body: '{}' }
const grants = (rig: Rig): readonly (string | null)[] =>
  rig.as.at('/token').map(({ form }) => form.get('grant_type'))
const tokensSent = (rig: Rig): readonly unknown[] =>
  rig.mcp.at('/mcp').map(({ headers }) => headers['authorization'])

describe('the token', () => {
  test('CL-25 CL-26 CL-27 goes into the Authorization header of every request, and nowhere else', async () => {
    const rig = await startRig()
    const client = rig.client()
    for (let at = 0; at < 3; at += 1) await client.fetch(`${rig.mcp.url}?n=${at}`, post)
    const token = (await client.token())?.accessToken ?? ''
    expect(tokensSent(rig)).toEqual([undefined, ...Array(3).fill(`Bearer ${token}`)])
    const others = rig.mcp.seen
      .map(({ method, path, query, body }) => `${method} ${path} ${query} ${body}`)
      .join()
    expect(others).not.toContain(token)
  })

  test('takes the place of an Authorization that the caller brings', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    await client.fetch(rig.mcp.url, { ...post, headers: { AUTHORIZATION: 'Bearer stale', 'X-Other': '1' } })
    expect(tokensSent(rig).at(-1)).toBe(`Bearer ${(await client.token())?.accessToken}`)
    expect(rig.mcp.seen.at(-1)?.headers['x-other']).toBe('1')
  })

  test.each([
    ['another path', (origin: string) => `${origin}/other`],
    ['the path above', (origin: string) => `${origin}/`],
    ['half a segment more', (origin: string) => `${origin}/mcpx`],
    ['a way out', (origin: string) => `${origin}/mcp/../other`],
    ['another port', () => 'http://127.0.0.1:1/mcp'],
    ['another host', (origin: string) => `${origin.replace('127.0.0.1', 'localhost')}/mcp`],
    ['what is no URL', () => '/mcp'],
  ])('CL-28 Q13 never goes to %s', async (_, url) => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    const before = rig.mcp.seen.length
    await expect(client.fetch(url(rig.mcp.origin), post)).rejects.toThrow('server.other')
    expect(rig.mcp.seen.length).toBe(before)
  })

  test('CL-28 but goes to what is below the server', async () => {
    const rig = await startRig()
    expect((await rig.client().fetch(`${rig.mcp.url}/messages?session=1`, post)).status).toBe(200)
  })

  test('Q13 of a server is not that of its neighbour at the same issuer, nor of another account', async () => {
    const rig = await startRig({
      mcp: {
        metadataPath: '/.well-known/oauth-protected-resource/mcp/a',
        metadata: (origin) => ({ resource: `${origin}/mcp/a` }),
      },
    })
    const client = rig.client({ server: `${rig.mcp.url}/a` })
    await client.fetch(`${rig.mcp.url}/a`, post)
    expect((await client.status()).isSignedIn).toBe(true)
    expect((await rig.client({ server: `${rig.mcp.url}/b` }).status()).isSignedIn).toBe(false)
    expect(await rig.client({ server: `${rig.mcp.url}/a`, profile: 'work' }).token()).toBeUndefined()
  })

  test('CL-65 goes over https, or over http on this computer', () => {
    const way = { kind: 'none', reason: 'a test' } as const
    for (const server of [
      'http://mcp.example/mcp',
      'https://user@mcp.example/',
      'https://mcp.example/#x',
      'ftp://x/',
    ]) {
      expect(() => createClient({ server, way, store: openMemory() }), server).toThrow('server.url')
    }
    for (const server of ['https://mcp.example/mcp', 'http://localhost:3000/mcp', 'http://[::1]:3000/mcp']) {
      expect(() => createClient({ server, way, store: openMemory() }), server).not.toThrow()
    }
  })
})

describe('after a 401', () => {
  test('CL-39 the user signs in, and the request is sent again as it was', async () => {
    const rig = await startRig()
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
    const response = await rig
      .client()
      .fetch(rig.mcp.url, { method: 'POST', body, headers: { 'mcp-x': '1' } })
    expect(response.status).toBe(200)
    expect(rig.mcp.at('/mcp').map((seen) => [seen.body, seen.headers['mcp-x']])).toEqual([
      [body, '1'],
      [body, '1'],
    ])
  })

  test('CL-77 a body is sent as it is, whatever state of the server stands in it', async () => {
    const rig = await startRig()
    const body = '{ "params": {"requestState":"a\\u0062\\/ +é", "inputResponses":{}} }'
    await rig.client().fetch(rig.mcp.url, { method: 'POST', body })
    expect(rig.mcp.at('/mcp').map((seen) => seen.body)).toEqual([body, body])
  })

  test('CL-20 the tokens are refreshed first, with the resource', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    rig.as.tokens.clear()
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
    expect(grants(rig)).toEqual(['authorization_code', 'refresh_token'])
    expect(rig.as.at('/token')[1]?.form.get('resource')).toBe(rig.mcp.url)
    expect(rig.browser.visited.length).toBe(1)
  })

  test('a refresh that brings a token that is refused too: the user signs in, once', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    rig.as.tokens.clear()
    rig.as.defects.token = (form) =>
      form.get('grant_type') === 'refresh_token'
        ? { body: { access_token: 'useless', token_type: 'Bearer', expires_in: 60 } }
        : undefined
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
    expect(grants(rig)).toEqual(['authorization_code', 'refresh_token', 'authorization_code'])
  })

  test('a sign-in that does not help is not repeated: the 401 is the answer', async () => {
    const rig = await startRig({ mcp: { tokens: () => new Map() } })
    expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(401)
    expect(rig.browser.visited.length).toBe(1)
  })

  test('CL-32 without a refresh token the user signs in again', async () => {
    const rig = await startRig({
      as: {
        token: () => {
          const token = `t${rig.as.seen.length}`
          rig.as.tokens.set(token, [])
          return { body: { access_token: token, token_type: 'Bearer' } }
        },
      },
    })
    const client = rig.client()
    await client.fetch(rig.mcp.url, post)
    rig.as.tokens.clear()
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
    expect(rig.browser.visited.length).toBe(2)
    expect(await client.status()).toMatchObject({ isSignedIn: true, canRefresh: false })
  })

  test('where nobody can sign in, that is said, and a refresh still works', async () => {
    const rig = await startRig()
    const way: ClientOptions['way'] = { kind: 'none', reason: 'there is no browser here' }
    const error = await rig
      .client({ way })
      .fetch(rig.mcp.url, post)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SignInRequired)
    expect(error).toMatchObject({
      name: 'SignInRequired',
      server: rig.mcp.url,
      reason: 'there is no browser here',
    })
    await rig.client().signIn()
    rig.as.tokens.clear()
    expect((await rig.client({ way }).fetch(rig.mcp.url, post)).status).toBe(200)
  })

  test('Q17 requests that meet it at the same time share one sign-in, and later one refresh', async () => {
    const rig = await startRig()
    const client = rig.client()
    const many = (): Promise<readonly Response[]> =>
      Promise.all(Array.from({ length: 10 }, () => client.fetch(rig.mcp.url, post)))
    expect((await many()).every(({ status }) => status === 200)).toBe(true)
    rig.as.tokens.clear()
    expect((await many()).every(({ status }) => status === 200)).toBe(true)
    expect(grants(rig)).toEqual(['authorization_code', 'refresh_token'])
  })

  test('Q17 so do ten processes', async () => {
    const rig = await startRig()
    const directory = mkdtempSync(join(tmpdir(), 'warder-client-'))
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
    const run = async (): Promise<string> => {
      const program = join(import.meta.dirname, 'client-process.ts')
      const args = ['--conditions=@warder/source', program, rig.mcp.url, directory]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      return text(child.stdout)
    }
    expect(await Promise.all(Array.from({ length: 10 }, run))).toEqual(Array(10).fill('200'))
    expect([grants(rig), rig.as.at('/register').length]).toEqual([['authorization_code'], 1])
  })

  test('a sign-in that failed does not begin again with each request, but when the user wants it', async () => {
    let now = Date.now()
    const rig = await startRig({ as: { callback: () => ({ code: undefined, error: 'access_denied' }) } })
    const client = rig.client({ now: () => now })
    for (let at = 0; at < 3; at += 1) {
      await expect(client.fetch(rig.mcp.url, post)).rejects.toThrow('access_denied')
    }
    expect(rig.browser.visited.length).toBe(1)
    now += 60_000
    await expect(client.fetch(rig.mcp.url, post)).rejects.toThrow('access_denied')
    expect(rig.browser.visited.length).toBe(2)
    rig.as.defects.callback = () => ({})
    await client.signIn()
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
  })

  test('what another process has signed in to is found, also after a failure here', async () => {
    const rig = await startRig({ as: { callback: () => ({ code: undefined, error: 'access_denied' }) } })
    const client = rig.client()
    await expect(client.fetch(rig.mcp.url, post)).rejects.toThrow('access_denied')
    rig.as.defects.callback = () => ({})
    await rig.client().signIn()
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
    expect(rig.browser.visited.length).toBe(2)
  })

  test('a caller that stops waiting does not end the sign-in for the others; closing the client does', async () => {
    const rig = await startRig()
    let answer = (_: string): void => {}
    const way: ClientOptions['way'] = {
      ...rig.browser,
      authorize: ({ signal }) =>
        new Promise((resolve, reject) => {
          answer = resolve
          signal.addEventListener('abort', () => reject(signal.reason))
        }),
    }
    const client = rig.client({ way })
    const impatient = new AbortController()
    const [first, second] = [
      client.fetch(rig.mcp.url, { ...post, signal: impatient.signal }),
      client.fetch(rig.mcp.url, post),
    ]
    await expect.poll(() => rig.trace.some(({ step }) => step === 'authorize')).toBe(true)
    impatient.abort(new Error('too slow'))
    await expect(first).rejects.toThrow('too slow')
    client.close()
    await expect(second).rejects.toThrow('the client was closed')
    answer('too late')
  })
})

test('answers stream as they come', async () => {
  const rig = await startRig()
  const client = rig.client({
    userFetch: async (url, init) => {
      const response = await createUserFetch()(url, init)
      if (response.status !== 200) return response
      let turn = 0
      const pull = (controller: ReadableStreamDefaultController): void => {
        turn += 1
        controller.enqueue(new TextEncoder().encode(`data: ${turn}\n\n`))
      }
      return new Response(new ReadableStream({ pull }), { status: 200 })
    },
  })
  const { body } = await client.fetch(rig.mcp.url, post)
  const reader = body?.getReader()
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 1\n\n')
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('data: 2\n\n')
  await reader?.cancel()
})

describe('a token that is about to end', () => {
  test('is refreshed before it is sent', async () => {
    let now = Date.now()
    const rig = await startRig()
    const client = rig.client({ now: () => now })
    await client.fetch(rig.mcp.url, post)
    now += 3590_000
    await client.fetch(rig.mcp.url, post)
    expect(grants(rig)).toEqual(['authorization_code', 'refresh_token'])
    expect(rig.mcp.at('/mcp').length).toBe(3)
  })

  test('and a place of the metadata that the user named is where the refresh looks, too', async () => {
    let now = Date.now()
    const rig = await startRig({ as: { metadataPath: '/odd/place.json' } })
    const client = rig.client({ now: () => now, metadataUrl: `${rig.as.origin}/odd/place.json` })
    await client.fetch(rig.mcp.url, post)
    now += 3590_000
    await rig.client({ now: () => now }).fetch(rig.mcp.url, post)
    expect(grants(rig)).toEqual(['authorization_code', 'refresh_token'])
    expect(rig.as.at('/odd/place.json').length).toBe(2)
  })
})

describe('signing out', () => {
  test('revokes refresh and access token, and forgets them', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.fetch(rig.mcp.url, post)
    const tokens = await client.token()
    expect(await client.signOut()).toEqual({
      revocation: { refreshToken: 'revoked', accessToken: 'revoked' },
    })
    expect(rig.as.at('/revoke').map(({ form }) => form.get('token'))).toEqual([
      tokens?.refreshToken,
      tokens?.accessToken,
    ])
    expect([await client.token(), (await client.status()).isSignedIn]).toEqual([undefined, false])
    expect((await rig.store.list()).filter((name) => /^(?:tokens|server)-/.test(name))).toEqual([])
  })

  test('forgets them also when the authorization server is gone', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    await rig.as.stop()
    expect(await client.signOut()).toEqual({ revocation: { refreshToken: 'failed', accessToken: 'failed' } })
    expect(await client.token()).toBeUndefined()
    expect(await client.signOut()).toEqual({ revocation: undefined })
  })
})

test('signing out gets rid of what cannot be read any more, and of nothing while a store is locked', async () => {
  const rig = await startRig()
  await rig.client().signIn()
  const refusing = (reason: 'denied' | 'locked'): typeof rig.store => ({
    ...rig.store,
    async read(name) {
      if (name.startsWith('tokens-')) throw new StoreUnavailable(reason, 'a test')
      return rig.store.read(name)
    },
  })
  await expect(rig.client({ store: refusing('locked') }).signOut()).rejects.toThrow('a test')
  expect((await rig.client().status()).isSignedIn).toBe(true)
  expect(await rig.client({ store: refusing('denied') }).signOut()).toEqual({
    revocation: { refreshToken: 'failed', accessToken: 'failed' },
  })
  expect((await rig.store.list()).filter((name) => /^(?:tokens|server)-/.test(name))).toEqual([])
})

test('the status says who is signed in where, without asking anybody', async () => {
  const rig = await startRig({ mcp: { metadata: () => ({ scopes_supported: ['read'] }) } })
  const client = rig.client()
  expect(await client.status()).toEqual({ server: rig.mcp.url, profile: 'default', isSignedIn: false })
  await client.signIn()
  const before = [rig.as.seen.length, rig.mcp.seen.length]
  expect(await rig.client().status()).toMatchObject({
    isSignedIn: true,
    issuer: rig.as.issuer,
    resource: rig.mcp.url,
    clientId: [...rig.as.clients][0],
    scopes: ['read'],
    canRefresh: true,
    isBound: false,
  })
  expect([rig.as.seen.length, rig.mcp.seen.length]).toEqual(before)
})
