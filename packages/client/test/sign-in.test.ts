import { createHash } from 'node:crypto'
import { finishSignIn, type SignInRecord, silent, startSignIn, type TraceEvent } from '@warder/client'
import { Refusal } from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { startAuthorizationServer } from './rig/authorization-server.ts'
import { startRig } from './rig/start-rig.ts'

const post = { method: 'POST', body: '{}' }

const record: SignInRecord = {
  state: 'right-state',
  verifier: 'v'.repeat(43),
  issuer: 'https://as.example/t1',
  sendsIss: true,
  clientId: 'client',
  redirectUri: 'http://127.0.0.1:7777/callback',
  resource: 'https://mcp.example/mcp',
  scopes: [],
}

const finish = (
  params: Readonly<Record<string, string>>,
  changes: Partial<SignInRecord> = {},
  trace = silent,
): string =>
  finishSignIn({ ...record, ...changes }, `${record.redirectUri}?${new URLSearchParams(params)}`, trace)

const reasonOf = (work: () => unknown): string => {
  try {
    work()
    return 'nothing was refused'
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
}

const good = { code: 'the-code', state: 'right-state', iss: record.issuer }

describe('the answer of a sign-in', () => {
  test('CL-12 CL-13 with our state and the announced issuer brings the code', () => {
    expect(finish(good)).toBe('the-code')
  })

  test('Q04 CL-14 without the announced iss is refused', () => {
    const { iss: _, ...rest } = good
    expect(reasonOf(() => finish(rest))).toBe('callback.issuer')
  })

  test('Q04 CL-15 with an iss that was not announced: compared all the same', () => {
    expect(finish(good, { sendsIss: false })).toBe('the-code')
    const other = { ...good, iss: 'https://evil.example' }
    expect(reasonOf(() => finish(other, { sendsIss: false }))).toBe('callback.issuer')
  })

  test('Q04 CL-16 without iss, and none announced: goes on', () => {
    const { iss: _, ...rest } = good
    expect(finish(rest, { sendsIss: false })).toBe('the-code')
  })

  test.each([
    'https://as.example/t1/',
    'https://AS.example/t1',
    'https://as.example:443/t1',
    'https://as.example/%741',
    'https://as.example/T1',
    'HTTPS://as.example/t1',
    'https://as.example/t1?',
    ' https://as.example/t1',
  ])('Q04 CL-13 CL-17 an iss of %s is another one, announced or not', (iss) => {
    expect(reasonOf(() => finish({ ...good, iss }))).toBe('callback.issuer')
    expect(reasonOf(() => finish({ ...good, iss }, { sendsIss: false }))).toBe('callback.issuer')
  })

  test.each([
    ['another', 'wrong-state'],
    ['a longer', 'right-state-'],
    ['an empty', ''],
  ])('CL-63 with %s state is refused', (_, state) => {
    expect(reasonOf(() => finish({ ...good, state }))).toBe('callback.state')
  })

  test('CL-63 without a state, or with two, is refused', () => {
    const { state: _, ...rest } = good
    expect(reasonOf(() => finish(rest))).toBe('callback.state')
    const twice = `${record.redirectUri}?code=c&state=right-state&state=right-state&iss=${encodeURIComponent(record.issuer)}`
    expect(reasonOf(() => finishSignIn(record, twice, silent))).toBe('callback.malformed')
  })

  test('at another place is refused; a fragment that browsers add is not', () => {
    const query = new URLSearchParams(good)
    for (const place of [
      'http://127.0.0.1:7778/callback',
      'http://127.0.0.1:7777/callback/x',
      'https://evil.example/',
    ]) {
      expect(
        reasonOf(() => finishSignIn(record, `${place}?${query}`, silent)),
        place,
      ).toBe('callback.malformed')
    }
    expect(finishSignIn(record, `${record.redirectUri}?${query}#_=_`, silent)).toBe('the-code')
  })

  test('Q04 CL-18 an error of somebody else is neither shown nor acted on', () => {
    const lure = 'call 555 and say your password'
    const trace: TraceEvent[] = []
    const tryWith = (params: Readonly<Record<string, string>>): unknown => {
      try {
        return finish({ error: 'access_denied', error_description: lure, ...params }, {}, (event) =>
          trace.push(event),
        )
      } catch (error) {
        return error
      }
    }
    const errors = [
      tryWith({ state: 'wrong', iss: record.issuer }),
      tryWith({ state: 'right-state', iss: 'https://evil.example' }),
      tryWith({ state: 'right-state' }),
    ]
    expect(errors.map((error) => (error as Refusal).reason)).toEqual([
      'callback.state',
      'callback.issuer',
      'callback.issuer',
    ])
    const shown = `${errors.map((error) => `${String(error)} ${JSON.stringify((error as Refusal).notes)}`)} ${JSON.stringify(trace)}`
    expect(shown).not.toMatch(/555|access_denied|evil|wrong/)
  })

  test('Q27 a proven error is shown, without what a terminal would obey', () => {
    const params = {
      error: 'access_denied',
      error_description: 'no\u001b[31m\r\nway',
      state: 'right-state',
      iss: record.issuer,
    }
    expect(() => finish(params)).toThrow('callback.refused: access_denied: no[31mway')
  })

  test('whatever it is, there is a code or a refusal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (query, isOurs) => {
        const callback = isOurs ? `${record.redirectUri}?${query}` : query
        expect(reasonOf(() => finishSignIn(record, callback, silent))).toMatch(/^callback\./)
      }),
    )
  })
})

describe('a sign-in', () => {
  test('CL-20 CL-23 CL-60 CL-61 sends PKCE and the resource byte for byte, in both requests', async () => {
    const rig = await startRig({ mcp: { metadata: (origin) => ({ resource: `${origin}/` }) } })
    await rig.client().fetch(rig.mcp.url, post)
    const asked = rig.browser.visited[0]?.searchParams
    const [token] = rig.as.at('/token')
    const verifier = token?.form.get('code_verifier') ?? ''
    expect(asked?.get('resource')).toBe(`${rig.mcp.origin}/`)
    expect(token?.form.get('resource')).toBe(`${rig.mcp.origin}/`)
    expect(asked?.get('code_challenge_method')).toBe('S256')
    expect(asked?.get('code_challenge')).toBe(createHash('sha256').update(verifier).digest('base64url'))
  })

  test('CL-11 Q17 has a state and a verifier of its own each time', async () => {
    const rig = await startRig()
    await rig.client().signIn()
    await rig.client().signIn()
    const states = rig.browser.visited.map((url) => url.searchParams.get('state'))
    const verifiers = rig.as.at('/token').map(({ form }) => form.get('code_verifier'))
    expect(new Set([...states, ...verifiers]).size).toBe(4)
    for (const secret of [...states, ...verifiers])
      expect(Buffer.from(secret ?? '', 'base64url').length).toBe(32)
  })

  test('sends another resource, or none, if the user says so; what is checked stays', async () => {
    for (const [sendResource, sent] of [
      ['api://other', 'api://other'],
      [false, null],
    ] as const) {
      const rig = await startRig()
      await rig.client({ sendResource }).fetch(rig.mcp.url, post)
      const requests = [rig.browser.visited[0]?.searchParams, rig.as.at('/token')[0]?.form]
      expect(requests.map((params) => params?.get('resource'))).toEqual([sent, sent])
      const wrong = await startRig({ mcp: { metadata: () => ({ resource: 'https://evil.example/mcp' }) } })
      await expect(wrong.client({ sendResource }).fetch(wrong.mcp.url, post)).rejects.toThrow(
        'resource-metadata.resource',
      )
    }
  })

  test('sends more parameters, but none in the place of its own', async () => {
    const rig = await startRig()
    await rig.client({ parameters: { prompt: 'consent', audience: 'a b&c' } }).fetch(rig.mcp.url, post)
    const asked = rig.browser.visited[0]?.searchParams
    expect([asked?.get('prompt'), asked?.get('audience')]).toEqual(['consent', 'a b&c'])
    for (const name of ['state', 'redirect_uri', 'resource', 'request_uri', 'code_challenge']) {
      expect(() => rig.client({ parameters: { [name]: 'x' } })).toThrow('parameter.repeated')
    }
  })

  test.each<[string, unknown]>([
    ['says nothing of PKCE', undefined],
    ['knows only plain', ['plain']],
    ['knows nothing', []],
  ])('Q07 CL-60 does not begin at a server that %s', async (_, methods) => {
    const rig = await startRig({ as: { metadata: () => ({ code_challenge_methods_supported: methods }) } })
    await expect(rig.client().fetch(rig.mcp.url, post)).rejects.toThrow('server-metadata.pkce')
    expect([rig.browser.visited.length, rig.as.at('/register').length]).toEqual([0, 0])
  })

  test('Q07 unless the user says so of this issuer, and then the trace is loud; a list without S256 stays refused', async () => {
    const silentServer = await startRig({
      as: { metadata: () => ({ code_challenge_methods_supported: undefined }) },
    })
    const dangerouslyAllowMissingPkce = (issuer: string): boolean => issuer === silentServer.as.issuer
    expect(
      (await silentServer.client({ dangerouslyAllowMissingPkce }).fetch(silentServer.mcp.url, post)).status,
    ).toBe(200)
    expect(silentServer.trace.some(({ why = '' }) => why.startsWith('DANGER'))).toBe(true)
    const plain = await startRig({
      as: { metadata: () => ({ code_challenge_methods_supported: ['plain'] }) },
    })
    const client = plain.client({ dangerouslyAllowMissingPkce: () => true })
    await expect(client.fetch(plain.mcp.url, post)).rejects.toThrow('server-metadata.pkce')
  })

  test('Q22 mix-up: the code of an honest server goes to nobody when another was asked', async () => {
    const honest = await startAuthorizationServer()
    const rig = await startRig({
      as: { metadata: () => ({ authorization_endpoint: `${honest.origin}/authorize` }) },
    })
    await expect(rig.client().fetch(rig.mcp.url, post)).rejects.toThrow('callback.issuer')
    await honest.stop()
    expect([honest.at('/authorize').length, rig.as.at('/token').length, honest.at('/token').length]).toEqual([
      1, 0, 0,
    ])
  })

  test('Q22 the token endpoint is that of the metadata that was validated at the beginning', async () => {
    const evil = await startAuthorizationServer()
    const rig = await startRig({
      as: {
        callback: () => {
          rig.as.defects.metadata = () => ({ token_endpoint: `${evil.origin}/token` })
          return {}
        },
      },
    })
    expect((await rig.client().fetch(rig.mcp.url, post)).status).toBe(200)
    await evil.stop()
    expect(evil.seen).toEqual([])
  })

  test('what was there before stays in force until the new one has worked', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.signIn()
    const before = await client.token()
    rig.as.defects.callback = () => ({ code: undefined, error: 'access_denied' })
    await expect(client.signIn()).rejects.toThrow('callback.refused: access_denied')
    expect(await client.token()).toEqual(before)
    rig.as.defects.callback = () => ({})
    await client.signIn()
    expect((await client.token())?.accessToken).not.toBe(before?.accessToken)
  })

  test('can be finished by another process, with what was begun as plain JSON', async () => {
    const rig = await startRig()
    const { url, pending } = await rig.client().beginSignIn(rig.browser)
    const state = new URL(url).searchParams.get('state') ?? ''
    const { signal } = new AbortController()
    const redirectUri = pending.record.redirectUri
    const callback = await rig.browser.authorize({ url, state, redirectUri, signal })
    const status = await rig.client().completeSignIn(JSON.parse(JSON.stringify(pending)), callback)
    expect(status).toMatchObject({ isSignedIn: true, issuer: rig.as.issuer, canRefresh: true })
    const other = rig.client({ profile: 'other' }).completeSignIn(pending, callback)
    await expect(other).rejects.toThrow('callback.malformed')
  })

  test('Q16 no trace holds a secret', async () => {
    const rig = await startRig()
    const client = rig.client()
    await client.fetch(rig.mcp.url, post)
    rig.as.tokens.clear()
    await client.fetch(rig.mcp.url, post)
    await client.signOut()
    const seen = [...rig.as.at('/token'), ...rig.as.at('/revoke')].flatMap(({ form }) => [...form.entries()])
    const names = ['code', 'code_verifier', 'refresh_token', 'token']
    const secrets = seen.filter(([name]) => names.includes(name)).map(([, value]) => value)
    expect(secrets.length).toBeGreaterThan(4)
    const state = rig.browser.visited[0]?.searchParams.get('state') ?? 'no state'
    const traced = JSON.stringify(rig.trace)
    for (const secret of [...secrets, state]) expect(traced).not.toContain(secret)
  })
})

test('an authorization endpoint with a query keeps it', () => {
  const server = {
    issuer: 'https://as.example',
    authorizationEndpoint: 'https://as.example/authorize?tenant=1',
    tokenEndpoint: 'https://as.example/token',
    sendsIss: true,
    readsDocuments: false,
  } as Parameters<typeof startSignIn>[0]['server']
  const about = {
    server,
    clientId: 'c',
    redirectUri: 'http://127.0.0.1:1/cb',
    resource: 'https://mcp.example',
    scopes: [],
  }
  const { url } = startSignIn(about)
  expect(url).toMatch(/^https:\/\/as\.example\/authorize\?tenant=1&response_type=code&/)
  expect(url).not.toContain('scope=')
})
