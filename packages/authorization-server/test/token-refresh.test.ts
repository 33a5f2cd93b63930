import { beforeAll, expect, test } from 'vitest'
import {
  claimsOf,
  errorOf,
  getTokens,
  notes,
  notesResource,
  policyText,
  refresh,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

let w: Warder
let client: string

beforeAll(async () => {
  w = await startWarder()
  client = await registerClient(w)
})

async function next(token: string, overrides: Record<string, string> = {}): Promise<Tokens> {
  const answer = await refresh(w, client, token, overrides)
  expect(answer.status).toBe(200)
  return (await answer.json()) as Tokens
}

async function grantOf(tokens: Tokens): Promise<{ revokedAt: number | undefined } | undefined> {
  return await w.store.grants.load(String(claimsOf(tokens.access_token)['grant_id']))
}

test('AS-13 C22 a rotated token replayed after its successor was used ends the whole family', async () => {
  const first = await getTokens(w, client)
  const second = await next(first.refresh_token)
  const third = await next(second.refresh_token)
  const before = await w.store.changes.lastNumber()
  expect(await errorOf(await refresh(w, client, first.refresh_token))).toBe('400 invalid_grant')
  expect((await grantOf(first))?.revokedAt).toBeDefined()
  expect((await w.store.changes.listAfter(before, 10)).map(({ kind }) => kind)).toEqual(['grant-revoked'])
  expect(await errorOf(await refresh(w, client, third.refresh_token))).toBe('400 invalid_grant')
})

test('C23 the retry of a lost answer gets the same successor for 30 seconds, by the same client', async () => {
  const first = await getTokens(w, client)
  const second = await next(first.refresh_token)
  w.clock.now += 29_000
  const again = await next(first.refresh_token)
  expect(again.refresh_token).toBe(second.refresh_token)
  expect(again.access_token).not.toBe(second.access_token)
  await next(again.refresh_token)
})

test('C23 outside the grace time a replay ends the family, though the successor was never used', async () => {
  const first = await getTokens(w, client)
  const second = await next(first.refresh_token)
  w.clock.now += 31_000
  expect(await errorOf(await refresh(w, client, first.refresh_token))).toBe('400 invalid_grant')
  expect(await errorOf(await refresh(w, client, second.refresh_token))).toBe('400 invalid_grant')
})

test('C24 when a thief was first, the honest client ends the family, and the operator hears of it', async () => {
  const stolen = await getTokens(w, client)
  const thief = await next((await next(stolen.refresh_token)).refresh_token)
  w.logs.length = 0
  expect(await errorOf(await refresh(w, client, stolen.refresh_token))).toBe('400 invalid_grant')
  expect(await errorOf(await refresh(w, client, thief.refresh_token))).toBe('400 invalid_grant')
  expect(w.logs.filter(({ event }) => event === 'refresh_reuse').length).toBe(1)
  const refused = w.logs.filter(({ event }) => event === 'refused')
  expect(refused.map(({ reason }) => reason)).toEqual(['refresh.replayed', 'grant.revoked'])
})

test('C26 of many refreshes at once all get the same successor, and it works', async () => {
  const { refresh_token: token } = await getTokens(w, client)
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(w, client, token)))
  const successors = new Set<string>()
  for (const answer of answers) successors.add(((await answer.json()) as Tokens).refresh_token)
  expect(successors.size).toBe(1)
  await next([...successors][0] ?? '')
})

test('C27 a refresh by another client is refused and ends the grant', async () => {
  const other = await registerClient(w)
  const tokens = await getTokens(w, client)
  await next(tokens.refresh_token)
  const safe = await getTokens(w, client)
  const stolen = await getTokens(w, client)
  w.logs.length = 0
  expect(await errorOf(await refresh(w, other, stolen.refresh_token))).toBe('400 invalid_grant')
  expect(w.logs).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'refresh_other_client', client: other }),
  )
  expect((await grantOf(stolen))?.revokedAt).toBeDefined()
  expect(await errorOf(await refresh(w, client, stolen.refresh_token))).toBe('400 invalid_grant')
  await next(safe.refresh_token)
})

test('C28 an unknown client id gets nothing and changes nothing', async () => {
  const tokens = await getTokens(w, client)
  expect(await errorOf(await refresh(w, 'wcl_unknown', tokens.refresh_token))).toBe('401 invalid_client')
  await next(tokens.refresh_token)
})

test('C29 a wider scope is refused before anything is used up; a narrower one is not kept', async () => {
  const first = await getTokens(w, client, ['notes:read', 'notes:write'])
  for (const scope of ['notes:admin', 'notes:read notes:admin', 'no:such']) {
    expect(await errorOf(await refresh(w, client, first.refresh_token, { scope }))).toBe('400 invalid_scope')
  }
  const narrow = await next(first.refresh_token, { scope: 'notes:read' })
  expect(narrow.scope).toBe('notes:read')
  expect(claimsOf(narrow.access_token)['scope']).toBe('notes:read')
  const wide = await next(narrow.refresh_token)
  expect(wide.scope).toBe('notes:read notes:write')
})

test('C29 what a granted scope implies may be asked for alone, as long as the server is known', async () => {
  const other = { ...notesResource, resource: 'http://localhost:8765/other/mcp', server: 'other' }
  let served = [other, notesResource]
  const policy = policyText.replace(', basic: true', '')
  const at = await startWarder({ policy, resources: () => served })
  const id = await registerClient(at)
  const { refresh_token: token } = await getTokens(at, id, ['notes:write'])
  const narrow = await refresh(at, id, token, { scope: 'notes:read' })
  const tokens = (await narrow.json()) as Tokens
  expect(tokens.scope).toBe('notes:read')
  served = [other]
  expect(await errorOf(await refresh(at, id, tokens.refresh_token, { scope: 'notes:read' }))).toBe(
    '400 invalid_scope',
  )
  const whole = await refresh(at, id, tokens.refresh_token, { scope: 'notes:write' })
  expect(((await whole.json()) as Tokens).scope).toBe('notes:write')
})

test('openid and offline_access, asked for out of habit, change nothing', async () => {
  const first = await getTokens(w, client, ['notes:read', 'notes:write'])
  const narrow = await next(first.refresh_token, { scope: 'openid notes:read offline_access' })
  expect(narrow.scope).toBe('notes:read')
  expect((await next(narrow.refresh_token, { scope: 'offline_access' })).scope).toBe('notes:read notes:write')
})

test('C30 another resource is refused before any rotation', async () => {
  const first = await getTokens(w, client)
  const other = 'https://other.example/mcp'
  for (const resource of [other, [notes, other]]) {
    expect(await errorOf(await refresh(w, client, first.refresh_token, { resource }))).toBe(
      '400 invalid_target',
    )
  }
  expect((await w.store.grants.list({ clientId: client, live: true })).length).toBeGreaterThan(0)
  const second = await next(first.refresh_token, { resource: notes })
  expect(claimsOf(second.access_token)['aud']).toBe(notes)
  expect(await errorOf(await refresh(w, client, second.refresh_token, { resource: other }))).toBe(
    '400 invalid_target',
  )
  await next(second.refresh_token)
})

test('C31 a disabled user gets no new tokens', async () => {
  const tokens = await getTokens(w, client)
  await w.store.users.setDisabled('wus_owner', true, w.clock.now)
  expect(await errorOf(await refresh(w, client, tokens.refresh_token))).toBe('400 invalid_grant')
  await w.store.users.setDisabled('wus_owner', false, w.clock.now)
  await next((await getTokens(w, client)).refresh_token)
})

test('a refresh token ends after 30 days without use, not before', async () => {
  const first = await getTokens(w, client)
  w.clock.now += 29 * 24 * 3_600_000
  const second = await next(first.refresh_token)
  w.clock.now += 29 * 24 * 3_600_000
  const third = await next(second.refresh_token)
  w.clock.now += 31 * 24 * 3_600_000
  expect(await errorOf(await refresh(w, client, third.refresh_token))).toBe('400 invalid_grant')
})
