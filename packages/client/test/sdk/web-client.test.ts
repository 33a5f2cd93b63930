import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type CredentialStore,
  createWebClient,
  openMemory,
  type WebClient,
  type WebClientOptions,
} from '../../src/index.ts'
import { type ProtectedServer, startProtectedServer } from '../ways/protected-server.ts'

const redirectUri = 'http://localhost:3999/callback'

let server: ProtectedServer
let store: CredentialStore
let ahead: number
let web: WebClient

const make = (more: Partial<WebClientOptions> = {}): WebClient =>
  createWebClient({ server: server.url, redirectUri, store, now: () => Date.now() + ahead, ...more })

beforeAll(async () => {
  server = await startProtectedServer()
})
afterAll(() => server?.stop())
beforeEach(() => {
  store = openMemory()
  ahead = 0
  web = make()
})

/** Begins a sign-in, and answers where the browser comes back to. */
const begin = async (userId: string, from: WebClient = web): Promise<string> =>
  (await server.follow(await from.start(userId))).href

const statusOf = async (userId: string): Promise<number> =>
  (await web.fetch(userId)(server.url, { method: 'GET' })).status

describe('a web application with many users', () => {
  test('each user signs in, and has tokens of their own under one registration', async () => {
    const users = ['anna', 'Anna', '__proto__', 'a/b?c', '']
    for (const user of users)
      expect(await web.finish(user, await begin(user))).toMatchObject({ isSignedIn: true })
    const tokens = new Set<string | undefined>()
    for (const user of users) {
      expect(await statusOf(user)).toBe(200)
      tokens.add((await web.clientOf(user).token())?.accessToken)
    }
    expect(tokens.size).toBe(users.length)
    const clientIds = await Promise.all(users.map(async (user) => (await web.status(user)).clientId))
    expect(new Set(clientIds).size).toBe(1)
    expect(server.asked.filter((path) => path === '/reg')).toHaveLength(1)
  })

  test('who has not signed in is told so, and nobody else is affected by a sign-out', async () => {
    await web.finish('anna', await begin('anna'))
    await web.finish('ben', await begin('ben'))
    await web.signOut('anna')
    await expect(statusOf('anna')).rejects.toMatchObject({ name: 'SignInRequired' })
    await expect(statusOf('carl')).rejects.toMatchObject({ name: 'SignInRequired' })
    expect(await statusOf('ben')).toBe(200)
  })

  test.each([
    ['that finished the sign-in', () => [web, make()] as const],
    ['that did not', () => [make(), web] as const],
  ])('who signs out in a process %s is signed out in all that share the store', async (_, both) => {
    const [one, two] = both()
    await web.finish('anna', await begin('anna'))
    await web.finish('ben', await begin('ben'))
    const before = two.clientOf('anna')
    const fetchAs = (userId: string): Promise<Response> => two.fetch(userId)(server.url, { method: 'GET' })
    expect([(await fetchAs('anna')).status, (await fetchAs('ben')).status]).toEqual([200, 200])
    await one.signOut('anna')
    const sent = server.schemes.length
    await expect(fetchAs('anna')).rejects.toMatchObject({ name: 'SignInRequired' })
    expect(server.schemes.slice(sent)).not.toContain('Bearer')
    expect(await before.token()).toBeUndefined()
    expect((await fetchAs('ben')).status).toBe(200)
  })

  test('who signs in anew in one process is that account in all', async () => {
    const two = make()
    await web.finish('anna', await begin('anna'))
    const first = (await two.clientOf('anna').token())?.accessToken
    await web.signOut('anna')
    await web.finish('anna', await begin('anna'))
    const [here, there] = await Promise.all([web, two].map((one) => one.clientOf('anna').token()))
    expect(there?.accessToken).toBe(here?.accessToken)
    expect(there?.accessToken).not.toBe(first)
  })

  test('a user id that would be the same as others in UTF-8 is refused; one that only looks odd is not', async () => {
    for (const id of ['a\ud800', '\udc00', '\ude00\ud83d']) {
      expect(() => web.clientOf(id)).toThrow(TypeError)
      await expect(web.start(id)).rejects.toThrow('lone surrogate')
      await expect(web.finish(id, `${redirectUri}?code=a&state=b`)).rejects.toThrow('lone surrogate')
    }
    for (const id of ['a\ufffd', '\ud83d\ude00']) {
      expect(await web.finish(id, await begin(id))).toMatchObject({ isSignedIn: true })
    }
  })

  test('CL-63 the callback of one user ends no sign-in of another, and stays good for its own', async () => {
    const callback = await begin('anna')
    await begin('ben')
    await expect(web.finish('ben', callback)).rejects.toMatchObject({ reason: 'callback.state' })
    expect((await web.status('ben')).isSignedIn).toBe(false)
    expect(await web.finish('anna', callback)).toMatchObject({ isSignedIn: true })
  })

  test('a callback works once, also when it comes twice at the same moment', async () => {
    const callback = await begin('anna')
    const outcomes = await Promise.allSettled([web.finish('anna', callback), make().finish('anna', callback)])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(web.finish('anna', callback)).rejects.toMatchObject({ reason: 'callback.state' })
  })

  test('a callback that comes too late is refused, and one in time is not', async () => {
    const [late, inTime] = [await begin('anna'), await begin('ben')]
    ahead = 599_000
    expect(await web.finish('ben', inTime)).toMatchObject({ isSignedIn: true })
    ahead = 601_000
    await expect(web.finish('anna', late)).rejects.toMatchObject({ reason: 'callback.state' })
  })

  test('another process that shares the store ends what this one began', async () => {
    const callback = await begin('anna')
    expect(await make().finish('anna', callback)).toMatchObject({ isSignedIn: true })
    expect(await statusOf('anna')).toBe(200)
  })

  test('several windows of one user: each may finish, and the sixth takes the place of the first', async () => {
    const callbacks: string[] = []
    for (let i = 0; i < 6; i++) callbacks.push(await begin('anna'))
    await expect(web.finish('anna', callbacks[0]!)).rejects.toMatchObject({ reason: 'callback.state' })
    expect(await web.finish('anna', callbacks[1]!)).toMatchObject({ isSignedIn: true })
    expect(await web.finish('anna', callbacks[5]!)).toMatchObject({ isSignedIn: true })
  })

  test.each([
    ['no URL', () => 'callback?state=a'],
    ['no state', (callback: string) => callback.replace(/state=[^&]+/, 'x=1')],
    ['another state', (callback: string) => callback.replace(/state=[^&]+/, 'state=abc')],
    ['the state twice', (callback: string) => `${callback}&state=abc`],
  ])('CL-63 a callback with %s is refused, and the sign-in can still be finished', async (_, change) => {
    const callback = await begin('anna')
    await expect(web.finish('anna', change(callback))).rejects.toMatchObject({ reason: 'callback.state' })
    expect(await web.finish('anna', callback)).toMatchObject({ isSignedIn: true })
  })

  test.each([
    [
      'CL-13 another issuer',
      (callback: string) => callback.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example'),
    ],
    ['another place', (callback: string) => callback.replace('localhost:3999', 'localhost:4000')],
  ])('a callback from %s ends the sign-in without tokens', async (_, change) => {
    const callback = await begin('anna')
    await expect(web.finish('anna', change(callback))).rejects.toMatchObject({
      reason: expect.stringMatching(/^callback\./),
    })
    await expect(web.finish('anna', callback)).rejects.toMatchObject({ reason: 'callback.state' })
    expect((await web.status('anna')).isSignedIn).toBe(false)
  })

  test('what is damaged in the store is begun again, and nothing of it is said', async () => {
    await begin('anna')
    const name = (await store.list()).find((one) => one.endsWith('.pending')) ?? ''
    await store.write(name, '{"canary')
    await expect(web.finish('anna', `${redirectUri}?code=a&state=b`)).rejects.toMatchObject({
      reason: 'callback.state',
    })
    expect(await web.finish('anna', await begin('anna'))).toMatchObject({ isSignedIn: true })
  })

  test.each(['https://app.example.com/callback', 'http://127.0.0.1:3000/callback'])(
    'ALL-09 %s is taken',
    (uri) => {
      expect(() => make({ redirectUri: uri })).not.toThrow()
    },
  )

  test.each([
    'http://app.example.com/callback',
    'https://app.example.com',
    'https://user@app.example.com/callback',
    'https://app.example.com/callback#part',
    'javascript:alert(1)',
    '',
  ])('ALL-09 %j is refused as redirect URI', (uri) => {
    expect(() => make({ redirectUri: uri })).toThrow(
      expect.objectContaining({ reason: 'redirect.unregistered' }),
    )
  })
})
