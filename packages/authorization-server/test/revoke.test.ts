import { beforeAll, expect, test } from 'vitest'
import {
  claimsOf,
  errorOf,
  getCode,
  getTokens,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

let w: Warder
let client: string
let broken = false

beforeAll(async () => {
  w = await startWarder({
    between: (store) => ({
      ...store,
      grants: {
        ...store.grants,
        revoke: async (...parameters) => {
          if (broken) throw new Error('disk I/O error')
          return await store.grants.revoke(...parameters)
        },
      },
    }),
  })
  client = await registerClient(w)
})

const revoke = (token: string, more: Record<string, string> = {}): Promise<Response> =>
  w.post('/revoke', { client_id: client, token, ...more })

async function isAlive(tokens: Tokens): Promise<boolean> {
  const grant = await w.store.grants.load(String(claimsOf(tokens.access_token)['grant_id']))
  return grant !== undefined && grant.revokedAt === undefined
}

test.each(['refresh_token', 'access_token'] as const)(
  'C46 revoking the %s ends the grant with all its tokens, and guards hear of it',
  async (kind) => {
    const tokens = await getTokens(w, client)
    const kept = await getTokens(w, client)
    const before = await w.store.changes.lastNumber()
    const answer = await revoke(tokens[kind])
    expect(answer.status).toBe(200)
    expect(await answer.text()).toBe('')
    const [change, ...others] = await w.store.changes.listAfter(before, 10)
    expect(change).toMatchObject({
      kind: 'grant-revoked',
      subject: claimsOf(tokens.access_token)['grant_id'],
    })
    expect(others).toEqual([])
    expect(await errorOf(await refresh(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
    expect((await refresh(w, client, kept.refresh_token)).status).toBe(200)
  },
)

test('C43 unknown and expired tokens get the same answer', async () => {
  const tokens = await getTokens(w, client)
  for (const token of ['unknown', 'wrt_unknown', 'a.b.c', await getCode(w, client)]) {
    expect((await revoke(token)).status).toBe(200)
  }
  const forged = `${tokens.access_token.slice(0, -4)}AAAA`
  expect((await revoke(forged)).status).toBe(200)
  expect(await isAlive(tokens)).toBe(true)
  w.clock.now += 601_000
  expect((await revoke(tokens.access_token)).status).toBe(200)
  expect(await isAlive(tokens)).toBe(true)
})

test("another client's tokens get the same answer, and stay", async () => {
  const other = await registerClient(w)
  const tokens = await getTokens(w, client)
  for (const token of [tokens.refresh_token, tokens.access_token]) {
    expect((await w.post('/revoke', { client_id: other, token })).status).toBe(200)
  }
  expect(await isAlive(tokens)).toBe(true)
  expect(await errorOf(await w.post('/revoke', { token: tokens.refresh_token }))).toBe('400 invalid_request')
  const unknown = await w.post('/revoke', { client_id: 'x', token: tokens.refresh_token })
  expect(unknown.headers.get('www-authenticate')).toBe('Basic realm="warder"')
  expect(await errorOf(unknown)).toBe('401 invalid_client')
  const incomplete = await w.post('/revoke', { client_id: client })
  expect(incomplete.headers.get('www-authenticate')).toBeNull()
  expect(await errorOf(incomplete)).toBe('400 invalid_request')
  expect(await isAlive(tokens)).toBe(true)
})

test('C50 a wrong hint changes nothing', async () => {
  const tokens = await getTokens(w, client)
  expect((await revoke(tokens.refresh_token, { token_type_hint: 'access_token' })).status).toBe(200)
  expect(await isAlive(tokens)).toBe(false)
})

test('C45 while the store fails the answer is 503, never 200', async () => {
  const tokens = await getTokens(w, client)
  broken = true
  const answer = await revoke(tokens.refresh_token)
  expect(answer.headers.get('retry-after')).not.toBeNull()
  expect(await errorOf(answer)).toBe('503 temporarily_unavailable')
  // What is nobody's grant asks nothing of the store.
  expect((await revoke('unknown')).status).toBe(200)
  broken = false
  expect((await revoke(tokens.refresh_token)).status).toBe(200)
  expect(await isAlive(tokens)).toBe(false)
})
