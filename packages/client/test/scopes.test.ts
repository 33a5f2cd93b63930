import {
  type ClientOptions,
  clientCredentialsWay,
  decideScopes,
  decideStepUp,
  SignInRequired,
  type StepUpPolicy,
  type StepUpRequest,
  sdkProvider,
} from '@warder/client'
import { Refusal } from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { callOf, type Rig, startRig } from './rig/start-rig.ts'

const post = { method: 'POST', body: '{}' }
const metadata = {}
const offline = { scopesSupported: ['x', 'offline_access'] }

const asked = (rig: Rig): readonly (string | null)[] =>
  rig.browser.visited.map((url) => url.searchParams.get('scope'))

const startChallenging = (scope: string): Promise<Rig> =>
  startRig({
    mcp: {
      challenge: (origin) => [
        `Bearer scope="${scope}", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
      ],
    },
  })

describe('the scopes of a sign-in', () => {
  test('CL-09 CL-10 the challenge, else what the resource lists, else none', () => {
    const listed = ['a', 'b']
    expect(decideScopes({ challenged: ['c'], listed, metadata })).toEqual(['c'])
    expect(decideScopes({ listed, metadata })).toEqual(listed)
    expect(decideScopes({ metadata })).toEqual([])
  })

  test('CL-06 CL-07 a challenged scope that nobody lists is asked for', () => {
    expect(
      decideScopes({ challenged: ['unlisted'], listed: ['a'], metadata: { scopesSupported: ['a'] } }),
    ).toEqual(['unlisted'])
  })

  test('CL-08 what was granted before stays in', () => {
    expect(decideScopes({ challenged: ['c', 'a'], before: ['a', 'b'], metadata })).toEqual(['a', 'b', 'c'])
  })

  test('CL-31 offline_access comes along where the authorization server lists it, not the resource, and never alone', () => {
    expect(decideScopes({ challenged: ['c'], metadata: offline })).toEqual(['c', 'offline_access'])
    expect(decideScopes({ listed: ['c', 'offline_access'], metadata })).toEqual(['c'])
    expect(decideScopes({ before: ['c', 'offline_access'], metadata })).toEqual(['c'])
    expect(decideScopes({ metadata: offline })).toEqual([])
  })

  test('pins are asked for as they are', () => {
    const pins = ['p']
    expect(
      decideScopes({ pins, challenged: ['c'], listed: ['l'], before: ['b'], metadata: offline }),
    ).toEqual(['p'])
  })

  test('Q14 of what a server names, only what is below the ceiling; pins and what was granted before stay', () => {
    const ceiling = ['a', 'b']
    expect(decideScopes({ challenged: ['a', 'admin'], ceiling, metadata })).toEqual(['a'])
    expect(decideScopes({ listed: ['b', 'admin'], ceiling, metadata })).toEqual(['b'])
    expect(decideScopes({ challenged: ['a'], ceiling, metadata: offline })).toEqual(['a', 'offline_access'])
    expect(decideScopes({ challenged: ['admin'], before: ['c'], ceiling, metadata })).toEqual(['c'])
    expect(decideScopes({ pins: ['p'], challenged: ['a'], ceiling, metadata })).toEqual(['p'])
    expect(decideScopes({ ceiling, metadata })).toEqual([])
    expect(decideScopes({ challenged: ['offline_access'], ceiling, metadata })).toEqual([])
  })

  test.each([
    ['challenged', { challenged: ['admin', 'root'] }],
    ['listed', { listed: ['admin'] }],
  ])('Q14 where nothing %s is below the ceiling, nobody else chooses the scopes', (_, named) => {
    expect(() => decideScopes({ ...named, ceiling: ['a'], metadata })).toThrow('step-up.denied')
    expect(decideScopes({ ...named, metadata }).length).toBeGreaterThan(0)
  })

  test('each scope stands once, and nothing is asked for that nobody named', () => {
    const scopes = fc.array(fc.constantFrom('a', 'b', 'c', 'offline_access'))
    fc.assert(
      fc.property(scopes, scopes, scopes, (challenged, listed, before) => {
        const found = decideScopes({ challenged, listed, before, metadata: offline })
        expect(new Set(found).size).toBe(found.length)
        const named = new Set([...challenged, ...before, 'offline_access'])
        expect(found.every((scope) => named.has(scope))).toBe(true)
      }),
    )
  })

  test('CL-10 over the wire: challenged, listed, none', async () => {
    const challenged = await startRig({
      mcp: {
        challenge: (origin) => [
          `Bearer scope="c1 c2", resource_metadata="${origin}/.well-known/oauth-protected-resource/mcp"`,
        ],
        metadata: () => ({ scopes_supported: ['l'] }),
      },
    })
    const listed = await startRig({ mcp: { metadata: () => ({ scopes_supported: ['l'] }) } })
    const none = await startRig()
    for (const rig of [challenged, listed, none]) await rig.client().fetch(rig.mcp.url, post)
    expect([challenged, listed, none].map(asked)).toEqual([['c1 c2'], ['l'], [null]])
  })

  test('Q14 over the wire: a challenge at the first sign-in stays below the ceiling, the user need not', async () => {
    const rig = await startChallenging('read admin')
    const stepUp: StepUpPolicy = { mode: 'auto', ceiling: ['read', 'write'] }
    const client = rig.client({ stepUp })
    expect((await client.fetch(rig.mcp.url, post)).status).toBe(200)
    await client.signIn({ scopes: ['admin'] })
    await rig.client({ stepUp, scopes: ['root'], profile: 'pinned' }).fetch(rig.mcp.url, post)
    await rig.client({ profile: 'free' }).fetch(rig.mcp.url, post)
    expect(asked(rig)).toEqual(['read', 'admin', 'root', 'read admin'])
  })

  test('Q14 over the wire: all of it beyond the ceiling: no browser opens, nothing is registered', async () => {
    const rig = await startChallenging('admin')
    const client = rig.client({ stepUp: { mode: 'auto', ceiling: ['read'] } })
    await expect(client.fetch(rig.mcp.url, post)).rejects.toThrow('step-up.denied')
    expect([asked(rig), rig.as.at('/register')]).toEqual([[], []])
  })

  test('Q14 nor does sdkProvider, also where it may widen', async () => {
    const rig = await startChallenging('read')
    const client = rig.client({ stepUp: { mode: 'auto', ceiling: ['read', 'write'] } })
    await client.signIn({ scopes: ['read', 'mine'] })
    const provider = sdkProvider(client, { mayWiden: true })
    const widen = async (scope: string): Promise<void> => {
      await provider.tokens()
      const query = new URLSearchParams({ scope })
      await provider.redirectToAuthorization(new URL(`https://warder.invalid/authorize?${query}`))
    }
    await expect(widen('read delete_everything')).rejects.toMatchObject({ reason: 'step-up.denied' })
    await widen('mine write')
    expect(asked(rig)).toEqual(['read mine', 'read mine write'])
  })
})

describe('the decision about a step-up', () => {
  const decide = (of: Partial<Parameters<typeof decideStepUp>[0]> = {}): Promise<readonly string[]> =>
    decideStepUp({
      policy: { mode: 'auto' },
      challenged: ['write'],
      granted: ['read'],
      before: ['read'],
      resource: 'https://mcp.example/mcp',
      operation: 'tools/call create',
      attempts: 0,
      ...of,
    })
  const reasonOf = async (work: Promise<unknown>): Promise<string> =>
    work.then(
      () => 'nothing was refused',
      (error: unknown) => (error instanceof Refusal ? error.reason : String(error)),
    )

  test('CL-34 is the union of what was asked for before and the challenge', async () => {
    expect(await decide()).toEqual(['read', 'write'])
  })

  test('CL-35 Q14 after three authorization requests it is over', async () => {
    expect(await reasonOf(decide({ attempts: 2 }))).toBe('nothing was refused')
    expect(await reasonOf(decide({ attempts: 3 }))).toBe('step-up.exhausted')
  })

  test.each<[string, Partial<Parameters<typeof decideStepUp>[0]>]>([
    ['the policy says deny', { policy: { mode: 'deny' } }],
    ['a scope is beyond the ceiling', { policy: { mode: 'auto', ceiling: ['read'] } }],
    ['nobody can be asked', { policy: { mode: 'ask' } }],
    ['the user says no', { policy: { mode: 'ask', ask: async () => false } }],
    ['the challenge names nothing', { challenged: undefined }],
    ['all of it is there already', { granted: ['read', 'write'] }],
  ])('Q14 CL-09 it is denied when %s', async (_, of) => {
    expect(await reasonOf(decide(of))).toBe('step-up.denied')
  })

  test('Q14 the user is shown all that would be asked for', async () => {
    const shown: StepUpRequest[] = []
    const ask = async (request: StepUpRequest): Promise<boolean> => shown.push(request) > 0
    expect(await decide({ policy: { mode: 'ask', ask, ceiling: ['write'] } })).toEqual(['read', 'write'])
    expect(shown).toEqual([
      {
        resource: 'https://mcp.example/mcp',
        operation: 'tools/call create',
        before: ['read'],
        scopes: ['read', 'write'],
      },
    ])
  })
})

describe('a step-up over the wire', () => {
  const startStepUp = (
    needs = (tool: string): readonly string[] => (tool === 'list' ? ['read'] : ['write']),
  ) =>
    startRig({
      mcp: {
        metadata: () => ({ scopes_supported: ['read'] }),
        needs: ({ body }) => needs((JSON.parse(body) as { params: { name: string } }).params.name),
      },
    })

  test('CL-07 CL-08 CL-33 CL-34 asks for what it has and the challenge, and sends the call again', async () => {
    const rig = await startStepUp()
    const client = rig.client()
    expect((await client.fetch(rig.mcp.url, callOf('list'))).status).toBe(200)
    const response = await client.fetch(rig.mcp.url, callOf('create'))
    expect(await response.json()).toEqual({ scopes: ['read', 'write'] })
    expect(asked(rig)).toEqual(['read', 'read write'])
    expect(rig.as.at('/token').map(({ form }) => form.get('grant_type'))).not.toContain('refresh_token')
  })

  test('Q14 CL-35 an endless challenge: three authorization requests, then the 403 is the answer, also the next time', async () => {
    let round = 0
    const rig = await startStepUp(() => {
      round += 1
      return [`write-${round}`]
    })
    const client = rig.client()
    const first = await client.fetch(rig.mcp.url, callOf('create'))
    expect([first.status, rig.browser.visited.length]).toEqual([403, 3])
    expect(await first.json()).toEqual({ error: 'refused' })
    const second = await client.fetch(rig.mcp.url, callOf('create'))
    expect([second.status, rig.browser.visited.length]).toEqual([403, 3])
    expect(rig.trace.some(({ refusal }) => refusal === 'step-up.exhausted')).toBe(true)
    await client.fetch(rig.mcp.url, callOf('other'))
    expect(rig.browser.visited.length).toBeGreaterThan(3)
  })

  const denied = () => ({ code: undefined, error: 'access_denied' })

  test('Q14 CL-35 attempts that fail count: after three of them nobody is asked again', async () => {
    let now = Date.now()
    const rig = await startStepUp()
    const client = rig.client({ now: () => now })
    await client.fetch(rig.mcp.url, callOf('list'))
    rig.as.defects.callback = denied
    for (let at = 0; at < 3; at += 1) {
      await expect(client.fetch(rig.mcp.url, callOf('create'))).rejects.toThrow('access_denied')
      now += 31_000
    }
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(403)
    expect(asked(rig)).toEqual(['read', 'read write', 'read write', 'read write'])
  })

  test('Q14 CL-35 but the third may still work', async () => {
    let now = Date.now()
    const rig = await startStepUp()
    const client = rig.client({ now: () => now })
    await client.fetch(rig.mcp.url, callOf('list'))
    rig.as.defects.callback = denied
    for (let at = 0; at < 2; at += 1) {
      await expect(client.fetch(rig.mcp.url, callOf('create'))).rejects.toThrow('access_denied')
      now += 31_000
    }
    rig.as.defects.callback = () => ({})
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(200)
  })

  test('Q14 CL-35 and so do those whose caller has gone away', async () => {
    let now = Date.now()
    let gone = new AbortController()
    const rig = await startStepUp()
    const way: ClientOptions['way'] = {
      ...rig.browser,
      authorize: async (request) => {
        gone.abort(new Error('the caller is gone'))
        return rig.browser.authorize(request)
      },
    }
    const client = rig.client({ way, now: () => now })
    await client.fetch(rig.mcp.url, callOf('list'))
    rig.as.defects.callback = denied
    const answers = (): number => rig.trace.filter(({ step }) => step === 'callback').length
    for (let at = 0; at < 3; at += 1) {
      gone = new AbortController()
      const call = client.fetch(rig.mcp.url, { ...callOf('create'), signal: gone.signal })
      await expect(call).rejects.toThrow('the caller is gone')
      await expect.poll(answers).toBe(at + 2)
      now += 31_000
    }
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(403)
    expect(rig.browser.visited.length).toBe(4)
  })

  test('Q14 CL-35 a user who is asked here says no three times at most', async () => {
    const rig = await startStepUp()
    let questions = 0
    const ask = async (): Promise<boolean> => {
      questions += 1
      return false
    }
    const client = rig.client({ stepUp: { mode: 'ask', ask } })
    await client.fetch(rig.mcp.url, callOf('list'))
    for (let at = 0; at < 5; at += 1) {
      expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(403)
    }
    expect([questions, asked(rig)]).toEqual([3, ['read']])
  })

  test('Q14 CL-35 a question and the authorization request that follows are one attempt', async () => {
    let round = 0
    const rig = await startStepUp((tool) => {
      if (tool === 'list') return ['read']
      round += 1
      return [`write-${round}`]
    })
    let questions = 0
    const ask = async (): Promise<boolean> => {
      questions += 1
      return true
    }
    const client = rig.client({ stepUp: { mode: 'ask', ask } })
    await client.fetch(rig.mcp.url, callOf('list'))
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(403)
    expect([questions, rig.browser.visited.length]).toEqual([3, 4])
  })

  test('Q14 CL-35 calls that share one sign-in have made one attempt', async () => {
    const rig = await startRig({
      mcp: {
        metadata: () => ({ scopes_supported: ['read'] }),
        needs: ({ path }) => [path.endsWith('/second') ? 'write' : 'read'],
      },
    })
    const client = rig.client()
    const together = (url: string): Promise<readonly number[]> =>
      Promise.all(Array.from({ length: 3 }, async () => (await client.fetch(url, callOf('query'))).status))
    expect(await together(rig.mcp.url)).toEqual([200, 200, 200])
    expect(await together(`${rig.mcp.url}/second`)).toEqual([200, 200, 200])
    expect(asked(rig)).toEqual(['read', 'read write'])
  })

  test('CL-33 CL-34 where nobody can sign in here, the error names what to ask for', async () => {
    const rig = await startStepUp()
    await rig.client().fetch(rig.mcp.url, callOf('list'))
    const client = rig.client({ way: { kind: 'none', reason: 'a test' } })
    expect((await client.fetch(rig.mcp.url, callOf('list'))).status).toBe(200)
    const error = await client.fetch(rig.mcp.url, callOf('create')).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(SignInRequired)
    expect(error).toMatchObject({ reason: 'a test', scopes: ['read', 'write'] })
  })

  test('Q14 scopes that were granted and do not help are not asked for again', async () => {
    const rig = await startStepUp()
    rig.as.defects.token = () => ({
      body: { access_token: 'weak', token_type: 'Bearer', scope: 'read write', refresh_token: 'r' },
    })
    rig.as.tokens.set('weak', ['read'])
    const response = await rig.client().fetch(rig.mcp.url, callOf('create'))
    expect([response.status, rig.browser.visited.length]).toEqual([403, 1])
  })

  test.each<
    [string, StepUpPolicy | undefined, readonly string[] | undefined, number, readonly (string | null)[]]
  >([
    ['denied by the policy', { mode: 'deny' }, undefined, 403, ['read']],
    ['beyond the ceiling', { mode: 'auto', ceiling: ['read'] }, undefined, 403, ['read']],
    ['pinned', undefined, ['read'], 403, ['read']],
    ['pinned, with a policy of its own', { mode: 'auto' }, ['read'], 200, ['read', 'read write']],
    [
      'within the ceiling',
      { mode: 'auto', ceiling: ['read', 'write'] },
      undefined,
      200,
      ['read', 'read write'],
    ],
  ])('CL-33 Q14 %s', async (_, stepUp, scopes, status, requests) => {
    const rig = await startStepUp()
    const client = rig.client({ ...(stepUp && { stepUp }), ...(scopes && { scopes }) })
    await client.fetch(rig.mcp.url, callOf('list'))
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(status)
    expect(asked(rig)).toEqual(requests)
  })

  test('calls that need the same at once share one step-up', async () => {
    const rig = await startStepUp()
    const client = rig.client()
    await client.fetch(rig.mcp.url, callOf('list'))
    const calls = Array.from({ length: 5 }, (_, at) => client.fetch(rig.mcp.url, callOf(`create-${at}`)))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(asked(rig)).toEqual(['read', 'read write'])
  })

  test('CC-08 CL-33 a program without a user steps up, too, where the policy lets it', async () => {
    const rig = await startStepUp()
    rig.as.defects.token = (form) => {
      const scope = form.get('scope') ?? ''
      rig.as.tokens.set(`for ${scope}`.replaceAll(' ', '-'), scope.split(' '))
      return { body: { access_token: `for ${scope}`.replaceAll(' ', '-'), token_type: 'Bearer', scope } }
    }
    const registration = { clientId: 'robot', clientSecret: 's3cret' }
    const client = rig.client({ way: clientCredentialsWay(), registration })
    expect((await client.fetch(rig.mcp.url, callOf('create'))).status).toBe(200)
    expect(rig.as.at('/token').map(({ form }) => form.get('scope'))).toEqual(['read', 'read write'])
    const careful = rig.client({
      way: clientCredentialsWay(),
      registration,
      stepUp: { mode: 'deny' },
      profile: 'careful',
    })
    expect((await careful.fetch(rig.mcp.url, callOf('create'))).status).toBe(403)
  })

  test('a 403 that is about something else is the answer', async () => {
    const rig = await startRig()
    const client = rig.client({
      userFetch: async () =>
        new Response('no', { status: 403, headers: { 'www-authenticate': 'Bearer scope="x"' } }),
    })
    const response = await client.fetch(rig.mcp.url, callOf('list'))
    expect([response.status, await response.text()]).toEqual([403, 'no'])
  })
})
