import {
  type CredentialStore,
  keepTokens,
  openMemory,
  readTokens,
  StoreUnavailable,
  TokenEndpointError,
  type TokenSet,
  type TokenUse,
  type TraceEvent,
  useTokens,
} from '@warder/client'
import { describe, expect, test } from 'vitest'

const start = 1_000_000
const name = 'tokens-1'
const first: TokenSet = {
  accessToken: 'at-1',
  tokenType: 'Bearer',
  expiresAt: start + 600,
  refreshToken: 'rt-1',
  scopes: ['a'],
  asked: ['a', 'b'],
  obtainedAt: start,
  generation: 0,
  dpopKey: { kty: 'EC' },
  idToken: 'id-1',
}

/** A store with the first tokens, a clock, and a server whose answers the test says; `asked` are the refresh tokens it saw. */
async function arrange(
  answer: (asked: number) => Partial<TokenSet> | Error,
  store: CredentialStore = openMemory(),
) {
  await keepTokens(store, name, first)
  const asked: unknown[] = []
  const scene = {
    store,
    asked,
    events: [] as TraceEvent[],
    seconds: start,
    use: (more: Partial<TokenUse> = {}) =>
      useTokens({
        store,
        name,
        now: () => scene.seconds * 1000,
        trace: (event) => scene.events.push(event),
        refresh: async (tokens) => {
          asked.push(tokens.refreshToken)
          await new Promise((done) => setTimeout(done, 5))
          const said = answer(asked.length)
          if (said instanceof Error) throw said
          const obtainedAt = scene.seconds
          return { accessToken: 'at-2', tokenType: 'Bearer', obtainedAt, generation: 0, ...said }
        },
        ...more,
      }),
  }
  return scene
}

const endpointError = (error: string | undefined, status: number | undefined, transient: boolean) =>
  new TokenEndpointError({ error, status, transient })

describe('a token that is good', () => {
  test('is handed out as it is, up to a minute before its end; absent ones are undefined', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }))
    scene.seconds = start + 539
    expect(await scene.use()).toEqual({ ...first, generation: 1 })
    expect(scene.asked).toEqual([])
    scene.seconds = start + 540
    expect((await scene.use())?.accessToken).toBe('at-2')
    expect(scene.asked).toEqual(['rt-1'])
    expect(await scene.use({ name: 'tokens-2' })).toBeUndefined()
  })

  test('a short life is not refreshed at each use: the margin is a quarter of it at most', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 20 }))
    scene.seconds = start + 590
    await scene.use()
    scene.seconds += 14
    await scene.use()
    expect(scene.asked).toHaveLength(1)
    scene.seconds += 2
    await scene.use()
    expect(scene.asked).toHaveLength(2)
  })

  test('one without an end is good until the resource refuses it', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2' }))
    scene.seconds = start + 600
    // The server left out the end: that of the token before does not count.
    expect(await scene.use()).not.toHaveProperty('expiresAt')
    scene.seconds += 1_000_000
    expect((await scene.use())?.accessToken).toBe('at-2')
    expect(scene.asked).toHaveLength(1)
  })
})

describe('a refresh', () => {
  test('is written before it is handed out, with what the server did not repeat', async () => {
    const scene = await arrange(() => ({ expiresAt: scene.seconds + 600 }))
    scene.seconds = start + 600
    const tokens = await scene.use()
    expect(tokens).toEqual({
      ...first,
      accessToken: 'at-2',
      obtainedAt: start + 600,
      expiresAt: start + 1200,
      generation: 2,
    })
    expect(await readTokens(scene.store, name)).toEqual(tokens)
  })

  test('Q17 a hundred calls at once ask once', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }))
    scene.seconds = start + 600
    const all = await Promise.all(Array.from({ length: 100 }, () => scene.use()))
    expect(new Set(all.map((tokens) => tokens?.accessToken))).toEqual(new Set(['at-2']))
    expect(scene.asked).toEqual(['rt-1'])
  })

  test('a token that the resource refused is refreshed at once; one that is no longer stored is not', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }))
    expect((await scene.use({ rejected: 'at-1' }))?.accessToken).toBe('at-2')
    expect((await scene.use({ rejected: 'at-1' }))?.accessToken).toBe('at-2')
    expect(scene.asked).toEqual(['rt-1'])
  })

  test('without a refresh token nobody is asked: used to its end, then a sign-in', async () => {
    const scene = await arrange(() => new Error('asked'))
    const { refreshToken: _, ...rest } = first
    await keepTokens(scene.store, name, rest)
    scene.seconds = start + 599
    expect((await scene.use())?.accessToken).toBe('at-1')
    expect(await scene.use({ rejected: 'at-1' })).toBeUndefined()
    scene.seconds = start + 600
    expect(await scene.use()).toBeUndefined()
    expect(scene.asked).toEqual([])
  })

  test('tokens that are of no use here are neither refreshed nor touched', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2' }))
    const canUse = async (): Promise<boolean> => false
    for (const seconds of [start, start + 600]) {
      scene.seconds = seconds
      expect(await scene.use({ canUse })).toBeUndefined()
    }
    expect([scene.asked, await readTokens(scene.store, name)]).toEqual([[], { ...first, generation: 1 }])
    await scene.use({ canUse: async () => true })
    expect(scene.asked).toEqual(['rt-1'])
  })

  test.each([true, false])(
    'what another process has refreshed meanwhile is adopted if it is of use here: %s',
    async (isUseful) => {
      const scene = await arrange(() => ({ refreshToken: 'rt-2' }))
      scene.seconds = start + 600
      const canUse = async ({ accessToken }: TokenSet): Promise<boolean> => isUseful || accessToken === 'at-1'
      const theirs = { ...first, accessToken: 'theirs', expiresAt: start + 1200, generation: 2 }
      let mine: Promise<TokenSet | undefined> | undefined
      await scene.store.locked(name, async () => {
        mine = scene.use({ canUse })
        // Until it waits for the lock: its first look was at the tokens from before.
        await new Promise((done) => setTimeout(done, 5))
        await scene.store.write(
          name,
          JSON.stringify({ ...JSON.parse((await scene.store.read(name)) ?? ''), ...theirs }),
        )
      })
      expect((await mine)?.accessToken).toBe(isUseful ? 'theirs' : undefined)
      expect(scene.asked).toEqual([])
    },
  )

  test('a user who signed out in the meantime is not signed in again', async () => {
    const scene = await arrange(() => ({}))
    scene.seconds = start + 600
    const free = Promise.withResolvers<void>()
    const signOut = scene.store.locked(name, async () => {
      await free.promise
      await scene.store.remove(name)
    })
    const used = scene.use()
    await new Promise((done) => setTimeout(done, 20))
    free.resolve()
    await signOut
    expect([await used, scene.asked]).toEqual([undefined, []])
  })
})

describe('a refresh that fails', () => {
  const transient = [
    ['no answer', endpointError(undefined, undefined, true)],
    ['a 503', endpointError(undefined, 503, true)],
    ['a 429 that says invalid_grant', endpointError('invalid_grant', 429, true)],
    ['invalid_client', endpointError('invalid_client', 401, false)],
    ['an error of another kind', new Error('broken')],
  ] as const

  test.each(transient)(
    'by %s keeps the tokens: used while good, then the error, then well again',
    async (_, error) => {
      let isBroken = true
      const scene = await arrange(() =>
        isBroken ? error : { refreshToken: 'rt-2', expiresAt: scene.seconds + 600 },
      )
      scene.seconds = start + 550
      expect((await scene.use())?.accessToken).toBe('at-1')
      // Not again at once: each call would wait for the same answer.
      expect((await scene.use())?.accessToken).toBe('at-1')
      expect(scene.asked).toEqual(['rt-1'])
      await expect(scene.use({ rejected: 'at-1' })).rejects.toBe(error)
      scene.seconds = start + 600
      await expect(scene.use()).rejects.toBe(error)
      expect(await readTokens(scene.store, name)).toEqual({ ...first, generation: 1 })
      isBroken = false
      expect((await scene.use())?.accessToken).toBe('at-2')
    },
  )

  test('by invalid_grant ends the refresh token: nobody asks again, a sign-in brings it back', async () => {
    const scene = await arrange(() => endpointError('invalid_grant', 400, false))
    scene.seconds = start + 550
    expect((await scene.use())?.accessToken).toBe('at-1')
    scene.seconds = start + 600
    for (let again = 0; again < 3; again += 1) expect(await scene.use()).toBeUndefined()
    expect(scene.asked).toEqual(['rt-1'])
    await keepTokens(scene.store, name, { ...first, accessToken: 'at-9', expiresAt: start + 9999 })
    expect(await scene.use()).toMatchObject({ accessToken: 'at-9', generation: 3 })
  })
})

describe('a store that fails', () => {
  /** A memory store whose next writes fail. */
  const fragile = () => {
    const real = openMemory()
    const state = { failing: 0 }
    const store: CredentialStore = {
      ...real,
      async write(key, value) {
        if (state.failing > 0) {
          state.failing -= 1
          throw new StoreUnavailable('locked', 'locked')
        }
        await real.write(key, value)
      },
    }
    return { store, state }
  }

  test('Q15 tokens that could not be written are not lost: the next call writes them, and asks nobody', async () => {
    const { store, state } = fragile()
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }), store)
    scene.seconds = start + 600
    state.failing = 2
    await expect(scene.use()).rejects.toMatchObject({ reason: 'locked' })
    await expect(scene.use()).rejects.toMatchObject({ reason: 'locked' })
    expect(await scene.use()).toMatchObject({ accessToken: 'at-2', generation: 2 })
    expect([scene.asked, (await readTokens(store, name))?.refreshToken]).toEqual([['rt-1'], 'rt-2'])
  })

  test('they do not come back after a sign-in', async () => {
    const { store, state } = fragile()
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }), store)
    scene.seconds = start + 600
    state.failing = 1
    await expect(scene.use()).rejects.toMatchObject({ reason: 'locked' })
    await keepTokens(store, name, { ...first, accessToken: 'at-9', expiresAt: start + 9999 })
    expect((await scene.use())?.accessToken).toBe('at-9')
  })

  test('CL-29 one that cannot be read is an error, never "not signed in"', async () => {
    const real = openMemory()
    const store: CredentialStore = {
      ...real,
      read: async () => {
        throw new StoreUnavailable('timeout', 'late')
      },
    }
    const use = useTokens({ store, name, refresh: async (tokens) => tokens })
    await expect(use).rejects.toMatchObject({ reason: 'timeout' })
  })

  test('Q16 no trace has a token in it', async () => {
    const scene = await arrange(() => ({ refreshToken: 'rt-2', expiresAt: scene.seconds + 600 }))
    scene.seconds = start + 600
    await scene.use()
    expect(scene.events.map(({ outcome }) => outcome)).toEqual(['tried', 'done'])
    expect(JSON.stringify(scene.events)).not.toMatch(/at-[12]|rt-[12]|id-1/)
  })
})
