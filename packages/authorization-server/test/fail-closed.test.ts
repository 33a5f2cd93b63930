import type { Store } from '@warder/store'
import { expect, test } from 'vitest'
import {
  authorizeUrl,
  errorOf,
  exchange,
  getCode,
  getTokens,
  notesResource,
  openConsent,
  refresh,
  register,
  registerClient,
  startWarder,
  type Tokens,
} from './start.ts'

/** The same store, until one operation is told to fail. */
function fragile(): { readonly between: (store: Store) => Store; failing: string } {
  const state = {
    failing: '',
    between: (store: Store): Store => {
      const wrap = <T extends object>(group: T): T =>
        new Proxy(group, {
          get(target, name) {
            const operation: unknown = Reflect.get(target, name)
            if (typeof operation !== 'function') return operation
            return async (...parameters: unknown[]) => {
              if (name === state.failing) throw new Error('disk I/O error')
              return Reflect.apply(operation, target, parameters)
            }
          },
        })
      return {
        ...store,
        users: wrap(store.users),
        clients: wrap(store.clients),
        grants: wrap(store.grants),
        transactions: wrap(store.transactions),
      }
    },
  }
  return state
}

test('C41 no token is given out that was not stored, and all goes on when the store is back', async () => {
  const disk = fragile()
  const w = await startWarder({ between: disk.between })
  const client = await registerClient(w)

  disk.failing = 'add'
  expect(await errorOf(await register(w, { redirect_uris: ['https://app.example/cb'] }))).toBe(
    '503 temporarily_unavailable',
  )
  disk.failing = ''

  const code = await getCode(w, client)
  for (const operation of ['load', 'loadCode', 'redeemCode']) {
    disk.failing = operation
    const answer = await exchange(w, client, code)
    expect(await answer.clone().text()).not.toContain('_token')
    expect(await errorOf(answer), operation).toBe('503 temporarily_unavailable')
  }
  disk.failing = ''
  expect((await exchange(w, client, code)).status).toBe(200)

  const tokens = await getTokens(w, client)
  for (const operation of ['loadRefreshToken', 'rotateRefreshToken']) {
    disk.failing = operation
    expect(await errorOf(await refresh(w, client, tokens.refresh_token)), operation).toBe(
      '503 temporarily_unavailable',
    )
  }
  disk.failing = ''
  expect((await refresh(w, client, tokens.refresh_token)).status).toBe(200)
})

test('C41 a request that cannot be stored is a redirect with temporarily_unavailable, never a page for sign-in', async () => {
  const disk = fragile()
  const w = await startWarder({ between: disk.between })
  const client = await registerClient(w)
  disk.failing = 'create'
  const answer = await w.get(authorizeUrl(w, client))
  expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe(
    'temporarily_unavailable',
  )
  disk.failing = 'load'
  expect((await w.get(authorizeUrl(w, client))).status).toBe(503)
  disk.failing = ''
  expect((await w.get(authorizeUrl(w, client))).headers.get('location')).toMatch(/^\/authorize\//)
})

test('while the policy cannot be read nothing is granted, and what was granted can still be refreshed', async () => {
  let broken = false
  const w = await startWarder({
    resources: () => [notesResource],
    betweenPolicy: (policy) => {
      if (broken) throw new Error('line 3: no such scope')
      return policy
    },
  })
  const client = await registerClient(w)
  const tokens = await getTokens(w, client, ['notes:write'])
  const { browser, page } = await openConsent(w, client)

  broken = true
  expect(await errorOf(await w.get('/.well-known/oauth-authorization-server'))).toBe(
    '503 temporarily_unavailable',
  )
  const asked = await w.get(authorizeUrl(w, client))
  expect(new URL(asked.headers.get('location') ?? '').searchParams.get('error')).toBe(
    'temporarily_unavailable',
  )
  const allowed = await browser.submit(page, { decision: 'allow' })
  expect(allowed.status).toBe(503)
  expect(allowed.html).not.toContain('line 3')
  const refreshed = (await (await refresh(w, client, tokens.refresh_token)).json()) as Tokens
  expect(refreshed.scope).toBe('notes:read notes:write')
  const narrow = await refresh(w, client, refreshed.refresh_token, { scope: 'notes:read' })
  expect(((await narrow.json()) as Tokens).scope).toBe('notes:read')

  broken = false
  expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
})

test('a resource that is no longer served cannot be granted any more', async () => {
  let served = [notesResource]
  const w = await startWarder({ resources: () => served })
  const client = await registerClient(w)
  const { browser, page } = await openConsent(w, client)
  served = []
  const answer = await browser.submit(page, { decision: 'allow' })
  expect(answer.status).toBe(400)
  expect(await w.store.grants.list({ clientId: client })).toEqual([])
})
