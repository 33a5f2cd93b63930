import {
  clientCredentialsWay,
  decideScopes,
  decideStepUp,
  type StepUpPolicy,
  type StepUpRequest,
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
