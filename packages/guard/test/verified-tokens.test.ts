import { expect, it, vi } from 'vitest'
import { authenticate, makeGuard, reasonOf, resource, seconds, signer, start } from './fixture.ts'

const once = async (guard: Parameters<typeof authenticate>[0], token: string) =>
  reasonOf(authenticate(guard, token))

it('G38 RS-27 a remembered token is never good beyond its end', async () => {
  const clock = { time: start }
  const guard = makeGuard({}, clock)
  const token = await signer.sign({ exp: seconds + 60 })
  expect(await once(guard, token)).toBe('passed')
  clock.time = start + 59_999
  expect(await once(guard, token)).toBe('passed')
  clock.time = start + 60_000
  expect(await once(guard, token)).toBe('token.expired')
  expect(await once(guard, token)).toBe('token.expired')
})

it('G38 revocation counts on the very next request, by grant, by token and by user', async () => {
  const revoked = new Set<string>()
  const revocations = {
    isFresh: () => true,
    isRevoked: (token: { grantId?: string; tokenId: string; subject: string }) =>
      [token.grantId, token.tokenId, token.subject].some((id) => id !== undefined && revoked.has(id)),
  }
  const guard = makeGuard({ revocations })
  const token = await signer.sign()
  for (const id of ['grant-1', 'token-1', 'user-1']) {
    expect(await once(guard, token)).toBe('passed')
    revoked.add(id)
    expect(await once(guard, token)).toBe('token.revoked')
    revoked.clear()
  }
})

it('revocations that are not fresh, or cannot be asked, are 503; a token known as revoked stays 401', async () => {
  const state = { fresh: false, revoked: false, broken: false }
  const revocations = {
    isFresh: () => state.fresh,
    isRevoked: () => {
      if (state.broken) throw new Error('gone')
      return state.revoked
    },
  }
  const guard = makeGuard({ revocations })
  const token = await signer.sign()
  expect(await once(guard, token)).toBe('revocations.unavailable')
  state.revoked = true
  expect(await once(guard, token)).toBe('token.revoked')
  state.revoked = false
  state.fresh = true
  expect(await once(guard, token)).toBe('passed')
  state.broken = true
  expect(await once(guard, token)).toBe('revocations.unavailable')
  // The log says why.
  await expect(authenticate(guard, token)).rejects.toMatchObject({ cause: { message: 'gone' } })
})

it('what has no grant is asked about without one, and proves none', async () => {
  const asked: object[] = []
  const isRevoked = (about: object): boolean => asked.push(about) === 0
  const guard = makeGuard({ revocations: { isRevoked, isFresh: () => true } })
  const bare = await authenticate(guard, await signer.sign({ grant_id: undefined }))
  const granted = await authenticate(guard, await signer.sign())
  expect([bare, granted].map((principal) => Object.hasOwn(principal, 'grantId'))).toEqual([false, true])
  const scopes = new Set(['notes:read'])
  expect(asked).toStrictEqual([
    { tokenId: 'token-1', subject: 'user-1', scopes },
    { tokenId: 'token-1', subject: 'user-1', scopes, grantId: 'grant-1' },
  ])
})

it('G38 a user who is not one any more is refused on the very next request', async () => {
  const users = new Map([['user-1', { names: ['owner'], groups: ['staff'] }]])
  const guard = makeGuard({ findUser: (_, subject) => users.get(subject) })
  const token = await signer.sign()
  expect((await authenticate(guard, token)).user.groups).toEqual(['staff'])
  users.set('user-1', { names: ['someone'], groups: [] })
  expect((await authenticate(guard, token)).user.names).toEqual(['someone'])
  users.clear()
  expect(await once(guard, token)).toBe('user.disabled')
  const broken = makeGuard({
    findUser: () => {
      throw new Error('gone')
    },
  })
  expect(await once(broken, token)).toBe('store.unavailable')
})

it('G38 a user whom this process has not heard of yet is asked for; one who is disabled or unknown then is refused', async () => {
  const users = new Map<string, { names: string[]; groups: string[] }>()
  const revoked = new Set<unknown>()
  const revocations = {
    isFresh: () => true,
    isRevoked: ({ tokenId }: { tokenId: string }) => revoked.has(tokenId),
  }
  const catchUp = vi.fn(async (): Promise<void> => undefined)
  const guard = makeGuard({ findUser: (_, subject) => users.get(subject), revocations, catchUp })
  const token = await signer.sign()
  expect(await once(guard, token)).toBe('user.disabled')
  catchUp.mockRejectedValueOnce(new Error('the store is away'))
  expect(await once(guard, token)).toBe('user.disabled')
  catchUp.mockImplementationOnce(async () => void users.set('user-1', { names: ['new'], groups: [] }))
  expect((await authenticate(guard, token)).user.names).toEqual(['new'])
  expect(await once(guard, token)).toBe('passed')
  expect(catchUp).toHaveBeenCalledTimes(3)
  users.clear()
  catchUp.mockImplementationOnce(async () => {
    users.set('user-1', { names: ['new'], groups: [] })
    revoked.add('token-1')
  })
  expect(await once(guard, token)).toBe('token.revoked')
})

it('H14 where nothing was heard for some time, the news is asked for before a call is refused, and a silent store is not waited for', async () => {
  let isFresh = false
  const revoked = new Set<unknown>()
  const catchUp = vi.fn(async (): Promise<void> => undefined)
  const guard = makeGuard({
    revocations: { isFresh: () => isFresh, isRevoked: ({ tokenId }) => revoked.has(tokenId) },
    catchUp,
  })
  const token = await signer.sign()
  expect(await once(guard, token)).toBe('revocations.unavailable')
  catchUp.mockImplementationOnce(async () => {
    isFresh = true
  })
  expect(await once(guard, token)).toBe('passed')
  isFresh = false
  catchUp.mockImplementationOnce(async () => {
    isFresh = true
    revoked.add('token-1')
  })
  expect(await once(guard, token)).toBe('token.revoked')
  expect(await once(guard, token)).toBe('token.revoked')
  expect(catchUp).toHaveBeenCalledTimes(3)
  isFresh = false
  revoked.clear()
  catchUp.mockImplementationOnce(() => new Promise(() => undefined))
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  try {
    const answer = once(guard, token)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(await answer).toBe('revocations.unavailable')
  } finally {
    vi.useRealTimers()
  }
})

it('without findUser everybody whom the issuer signs in is known by the subject', async () => {
  const guard = makeGuard({ findUser: undefined as never })
  expect((await authenticate(guard, await signer.sign())).user.names).toEqual(['user-1'])
})

it('G38 what one guard remembers is nothing to a guard of another resource', async () => {
  const other = makeGuard({ resource: `${resource}2` })
  const token = await signer.sign()
  expect(await once(makeGuard(), token)).toBe('passed')
  expect(await once(other, token)).toBe('token.audience')
  expect(await once(other, await signer.sign({ aud: `${resource}2` }))).toBe('passed')
})

it('G38 more tokens than are remembered: each is judged by itself, and forgotten ones are verified again', async () => {
  const guard = makeGuard({ cacheSize: 3 })
  const tokens = await Promise.all(
    Array.from({ length: 12 }, (_, at) => signer.sign({ jti: `t${at}`, sub: `u${at}` })),
  )
  for (const round of [1, 2]) {
    for (const [at, token] of tokens.entries()) {
      const principal = await authenticate(guard, token)
      expect([round, principal.user.subject, principal.tokenId]).toEqual([round, `u${at}`, `t${at}`])
    }
  }
})

it('G38 a refused token is not remembered, nor one that differs in its last character', async () => {
  const guard = makeGuard()
  const token = await signer.sign()
  expect(await once(guard, token)).toBe('passed')
  const last = token.endsWith('A') ? 'Q' : 'A'
  const other = `${token.slice(0, -1)}${last}`
  expect(await once(guard, other)).not.toBe('passed')
  expect(await once(guard, other)).not.toBe('passed')
  expect(await once(guard, token)).toBe('passed')
})

it('a runtime without node:crypto remembers tokens all the same', async () => {
  const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
  const guard = makeGuard()
  spy.mockRestore()
  const token = await signer.sign()
  expect(await once(guard, token)).toBe('passed')
  expect(await once(guard, token)).toBe('passed')
  expect(await once(guard, await signer.sign({ aud: 'other' }))).toBe('token.audience')
})
