import { type CredentialStore, readTokens, StoreUnavailable } from '@warder/client'
import { createOutbound, type OutboundFetch, reachOf } from '@warder/outbound'
import { describe, expect, test } from 'vitest'
import { type Rig, startRig } from './rig/start-rig.ts'

const get = { method: 'GET' }
const failed = { refreshToken: 'failed', accessToken: 'failed' }

const kept = async (rig: Rig): Promise<readonly string[]> =>
  (await rig.store.list()).flatMap((name) => /^(?:tokens|server|step-ups)\b/.exec(name) ?? [])

const revoked = (rig: Rig): readonly (string | null)[] =>
  rig.as.at('/revoke').map(({ form }) => form.get('token'))

/** A point that one passes when it is opened, and that says when somebody has come to it. */
function makeGate(): { pass(): Promise<void>; open(): void; readonly reached: Promise<void> } {
  const [passed, reached] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  return {
    async pass() {
      reached.resolve()
      await passed.promise
    },
    open: () => passed.resolve(),
    reached: reached.promise,
  }
}

/** The rig's store; the first reading of such a record reads, and then waits at the gate. */
function slowToRead(rig: Rig, kind: string, gate: ReturnType<typeof makeGate>): CredentialStore {
  let isFirst = true
  return {
    ...rig.store,
    async read(name) {
      const value = await rig.store.read(name)
      if (!name.startsWith(kind) || !isFirst) return value
      isFirst = false
      await gate.pass()
      return value
    },
  }
}

function refusing(rig: Rig, kind: string): CredentialStore {
  return {
    ...rig.store,
    async read(name) {
      if (name.startsWith(kind)) throw new StoreUnavailable('denied', 'a test')
      return rig.store.read(name)
    },
  }
}

describe('what runs while somebody signs out', () => {
  test('finds nothing in the store any more while the server still revokes', async () => {
    const rig = await startRig()
    const real = createOutbound({ reach: await reachOf(rig.mcp.url) })
    const found: unknown[] = []
    const outbound: OutboundFetch = async (url, request) => {
      if (url.endsWith('/revoke')) found.push(await client.token(), await kept(rig))
      return real(url, request)
    }
    const client = rig.client({ outbound })
    await client.signIn()
    const revocation = { refreshToken: 'revoked', accessToken: 'revoked' }
    expect(await client.signOut()).toEqual({ revocation })
    expect(found).toEqual([undefined, [], undefined, []])
  })

  test('does not bring the tokens back: a request that has read them before', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    const gate = makeGate()
    const client = rig.client({ store: slowToRead(rig, 'tokens-', gate) })
    const slow = client.token()
    await gate.reached
    await client.signOut()
    gate.open()
    expect((await slow)?.accessToken).toMatch(/^at-/)
    expect([await client.token(), (await client.status()).isSignedIn]).toEqual([undefined, false])
  })

  test('does not bring the tokens back: a request that reads them in between', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    const gate = makeGate()
    const client = rig.client({ store: slowToRead(rig, 'server-', gate) })
    const signingOut = client.signOut()
    await gate.reached
    expect((await client.token())?.accessToken).toMatch(/^at-/)
    gate.open()
    await signingOut
    expect(await client.token()).toBeUndefined()
  })

  test('does not bring the tokens back: a refresh in another process, whose tokens are revoked instead', async () => {
    const rig = await startRig()
    const other = rig.client()
    await other.signIn()
    const before = await other.token()
    const real = createOutbound({ reach: await reachOf(rig.mcp.url) })
    const gate = makeGate()
    const outbound: OutboundFetch = async (url, request) => {
      const answer = await real(url, request)
      if (url.endsWith('/token')) await gate.pass()
      return answer
    }
    const refreshing = rig.client({ outbound, now: () => Date.now() + 3590_000 }).token()
    await gate.reached
    const signingOut = other.signOut()
    gate.open()
    const fresh = await refreshing
    await signingOut
    expect(fresh?.accessToken).not.toBe(before?.accessToken)
    expect([revoked(rig), await kept(rig)]).toEqual([[fresh?.refreshToken, fresh?.accessToken], []])
  })

  test('opens no browser; what comes afterwards does', async () => {
    const rig = await startRig()
    const real = createOutbound({ reach: await reachOf(rig.mcp.url) })
    const meanwhile: unknown[] = []
    const outbound: OutboundFetch = async (url, request) => {
      const fetching = (): Promise<unknown> => client.fetch(rig.mcp.url, get).catch((error: unknown) => error)
      if (url.endsWith('/revoke')) meanwhile.push(await fetching())
      return real(url, request)
    }
    const client = rig.client({ outbound })
    await client.signIn()
    await client.signOut()
    const required = { name: 'SignInRequired', reason: 'somebody is signing out', server: rig.mcp.url }
    expect(meanwhile).toMatchObject([required, required])
    expect([rig.browser.visited.length, (await client.status()).isSignedIn]).toEqual([1, false])
    expect((await client.fetch(rig.mcp.url, get)).status).toBe(200)
    expect(rig.browser.visited.length).toBe(2)
  })

  test('a sign-out that fails lets requests sign in again, and one on purpose always may', async () => {
    const rig = await startRig()
    const store = {
      ...rig.store,
      remove: async () => {
        throw new StoreUnavailable('locked', 'a test')
      },
    }
    const client = rig.client({ store })
    await expect(client.signOut()).rejects.toThrow('a test')
    expect((await client.fetch(rig.mcp.url, get)).status).toBe(200)
    const gate = makeGate()
    const other = rig.client({ store: slowToRead(rig, 'server-', gate) })
    const signingOut = other.signOut()
    await gate.reached
    expect(await other.signIn()).toMatchObject({ isSignedIn: true })
    gate.open()
    await signingOut
    expect(await other.token()).toBeUndefined()
  })
})

describe('signing out of what cannot be read says that nothing was revoked', () => {
  test('where the entry is refused: it is gone, and tokens may remain', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    const signedOut = await rig.client({ store: refusing(rig, 'server-') }).signOut()
    expect(signedOut).toEqual({ revocation: failed, tokensMayRemain: true })
    expect([await kept(rig), revoked(rig)]).toEqual([['tokens'], []])
    expect((await rig.client().status()).isSignedIn).toBe(false)
    expect(rig.trace.at(-1)).toMatchObject({ step: 'store', outcome: 'failed' })
  })

  test.each(['not JSON', '{"version":2,"kind":"server"}'])('where the entry is %s, too', async (text) => {
    const rig = await startRig()
    await rig.client().signIn()
    const name = (await rig.store.list()).find((one) => one.startsWith('server-')) ?? ''
    await rig.store.write(name, text)
    expect(await rig.client().signOut()).toEqual({ revocation: failed, tokensMayRemain: true })
    expect(await rig.client().signOut()).toEqual({ revocation: undefined })
  })

  test.each([
    ['refused', (rig: Rig) => refusing(rig, 'tokens-')],
    ['damaged', (rig: Rig) => rig.store],
  ])('where the tokens are %s: they are gone, too', async (how, storeOf) => {
    const rig = await startRig()
    await rig.client().signIn()
    const name = (await rig.store.list()).find((one) => one.startsWith('tokens-')) ?? ''
    if (how === 'damaged') await rig.store.write(name, '{"canary')
    expect(await rig.client({ store: storeOf(rig) }).signOut()).toEqual({ revocation: failed })
    expect([await kept(rig), await readTokens(rig.store, name)]).toEqual([[], undefined])
  })

  test('where the registration is refused: the tokens are gone all the same', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    expect(await rig.client({ store: refusing(rig, 'registration-') }).signOut()).toEqual({
      revocation: failed,
    })
    expect([await kept(rig), revoked(rig)]).toEqual([[], []])
  })

  test('and of what nobody has signed in to, that there was nothing', async () => {
    const rig = await startRig()
    expect(await rig.client().signOut()).toEqual({ revocation: undefined })
  })
})
