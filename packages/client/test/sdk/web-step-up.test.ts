import { createWebClient, SignInRequired, type WebClient } from '@warder/client'
import { describe, expect, test } from 'vitest'
import { callOf, type Rig, startRig } from '../rig/start-rig.ts'

const redirectUri = 'http://localhost:3999/callback'

/** `list` needs `read`, and everything else `write`, too; the metadata names `read` alone. */
const startWithTools = (): Promise<Rig> =>
  startRig({
    mcp: {
      metadata: () => ({ scopes_supported: ['read'] }),
      needs: ({ body }) => (body.includes('"name":"list"') ? ['read'] : ['read', 'write']),
    },
  })

/** An authorization server that never gives more than `read`. */
function giveNoMore({ as }: Rig): void {
  as.defects.token = () => {
    const token = `at-${as.seen.length}`
    as.tokens.set(token, ['read'])
    return { body: { access_token: token, token_type: 'Bearer', expires_in: 3600, scope: 'read' } }
  }
}

/** One application on the rig's store; `make` is as another process of it. */
function makeApplication(rig: Rig): {
  readonly make: () => WebClient
  readonly ahead: { seconds: number }
  /** The scopes that were asked for. */
  signIn(
    userId: string,
    options?: { readonly scopes?: readonly string[] | undefined },
  ): Promise<string | null>
  /** The status; where a sign-in is required, what it says. */
  call(userId: string, tool: string): Promise<number | SignInRequired>
} {
  const ahead = { seconds: 0 }
  const now = (): number => Date.now() + ahead.seconds * 1000
  const make = (): WebClient => createWebClient({ server: rig.mcp.url, store: rig.store, redirectUri, now })
  return {
    make,
    ahead,
    async signIn(userId, options) {
      const url = await make().start(userId, options)
      const { headers } = await fetch(url, { redirect: 'manual' })
      await make().finish(userId, headers.get('location') ?? '')
      return new URL(url).searchParams.get('scope')
    },
    call: (userId, tool) =>
      make()
        .fetch(userId)(rig.mcp.url, callOf(tool))
        .then(
          ({ status }) => status,
          (error: unknown) => {
            if (error instanceof SignInRequired) return error
            throw error
          },
        ),
  }
}

/** The record that counts tries, and its name. */
async function countOf({ store }: Rig): Promise<readonly [string, string]> {
  const name = (await store.list()).find((one) => one.includes('.step-ups.')) ?? 'none'
  return [name, (await store.read(name)) ?? '']
}

describe('a user of a web application who needs more scopes', () => {
  test('CL-33 CL-34 signs in again with what the error names, and has both', async () => {
    const rig = await startWithTools()
    const { signIn, call } = makeApplication(rig)
    expect(await signIn('anna')).toBe('read')
    expect(await call('anna', 'list')).toBe(200)
    const required = await call('anna', 'create')
    expect(required).toMatchObject({ name: 'SignInRequired', scopes: ['read', 'write'] })
    expect(await signIn('anna', required as SignInRequired)).toBe('read write')
    expect([await call('anna', 'create'), await call('anna', 'list')]).toEqual([200, 200])
  })

  test('who is not signed in at all is asked for no scopes in particular', async () => {
    const { call, signIn } = makeApplication(await startWithTools())
    expect(await call('anna', 'create')).toMatchObject({ name: 'SignInRequired', scopes: undefined })
    expect(await signIn('anna', { scopes: undefined })).toBe('read')
  })

  test.each([
    ['that asks for what is missing', (required: SignInRequired) => required, 'read write'],
    ['that does not', () => undefined, 'read'],
  ])(
    'CL-35 Q14 three sign-ins %s and do not help, each in other processes: then the 403 is the answer',
    async (_, of, asked) => {
      const rig = await startWithTools()
      const { signIn, call } = makeApplication(rig)
      await signIn('anna')
      giveNoMore(rig)
      for (let round = 0; round < 3; round++) {
        const required = await call('anna', 'create')
        expect(required, `round ${round}`).toBeInstanceOf(SignInRequired)
        expect(await signIn('anna', of(required as SignInRequired))).toBe(asked)
      }
      expect([await call('anna', 'create'), await call('anna', 'create')]).toEqual([403, 403])
      expect(await call('anna', 'list')).toBe(200)
    },
  )

  test('CL-35 another operation, another user, another hour and a sign-out begin anew', async () => {
    const rig = await startWithTools()
    const { signIn, call, make, ahead } = makeApplication(rig)
    await signIn('anna')
    await signIn('ben')
    giveNoMore(rig)
    const useUp = async (tool: string): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        const required = await call('anna', tool)
        expect(required, `round ${round}`).toBeInstanceOf(SignInRequired)
        await signIn('anna', required as SignInRequired)
      }
      expect(await call('anna', tool)).toBe(403)
    }
    await signIn('anna', (await call('anna', 'remove')) as SignInRequired)
    await useUp('create')
    expect(await call('anna', 'remove')).toBeInstanceOf(SignInRequired)
    expect(await call('ben', 'create')).toBeInstanceOf(SignInRequired)
    await make().signOut('anna')
    await signIn('anna')
    await useUp('create')
    ahead.seconds = 3500
    expect(await call('anna', 'create')).toBe(403)
    ahead.seconds = 3700
    await signIn('anna')
    expect(await call('anna', 'create')).toBeInstanceOf(SignInRequired)
  })

  test('CL-35 requests are no tries: as long as nobody has begun a sign-in, it is required', async () => {
    const { signIn, call } = makeApplication(await startWithTools())
    await signIn('anna')
    const calls = await Promise.all(Array.from({ length: 8 }, () => call('anna', 'create')))
    for (const required of calls) expect(required).toMatchObject({ scopes: ['read', 'write'] })
    expect(await signIn('anna', (await call('anna', 'create')) as SignInRequired)).toBe('read write')
    expect(await call('anna', 'create')).toBe(200)
  })

  test('CL-35 who asks again writes nothing', async () => {
    const rig = await startWithTools()
    const { signIn, call, ahead } = makeApplication(rig)
    await signIn('anna')
    await call('anna', 'create')
    const [name, text] = await countOf(rig)
    ahead.seconds = 10
    expect(await call('anna', 'create')).toBeInstanceOf(SignInRequired)
    expect(await countOf(rig)).toEqual([name, text])
  })

  test.each<[string, (text: string) => string, boolean]>([
    ['that is read', (text) => text, false],
    ['that is cut', (text) => text.slice(0, -3), true],
    ['of another version', (text) => text.replace('"version":1', '"version":2'), true],
    ['with another kind of entry', (text) => text.replace('"made":9', '"made":"9"'), true],
    ['with no entries', () => '{"version":1}', true],
    ['with empty entries', () => '{"version":1,"tries":[null,{}]}', true],
  ])('a count %s', async (_, change, beginsAnew) => {
    const rig = await startWithTools()
    const { signIn, call } = makeApplication(rig)
    await signIn('anna')
    await call('anna', 'create')
    const [name, text] = await countOf(rig)
    await rig.store.write(name, change(text.replace('"made":0', '"made":9')))
    const required = await call('anna', 'create')
    if (!beginsAnew) return expect(required).toBe(403)
    expect(await signIn('anna', required as SignInRequired)).toBe('read write')
    expect(await call('anna', 'create')).toBe(200)
  })
})

test('CL-35 a sign-in on purpose by somebody else on the same store lets a client without a way try again', async () => {
  const rig = await startWithTools()
  const way = { kind: 'none', reason: 'there is no browser here' } as const
  const call = (): Promise<number | string> =>
    rig
      .client({ way })
      .fetch(rig.mcp.url, callOf('create'))
      .then(
        ({ status }) => status,
        ({ name }: Error) => name,
      )
  giveNoMore(rig)
  await rig.client().signIn()
  for (let round = 0; round < 3; round++) {
    expect(await call()).toBe('SignInRequired')
    await rig.client({ way }).beginSignIn(rig.browser, { scopes: ['write'] })
  }
  expect(await call()).toBe(403)
  await rig.client().signIn()
  expect(await call()).toBe('SignInRequired')
})
