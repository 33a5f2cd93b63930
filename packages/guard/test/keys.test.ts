import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK } from 'jose'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { authenticate, forge, makeGuard, makeSigner, reasonOf, seconds, signer, start } from './fixture.ts'

const jwksUri = 'https://auth.example.com/jwks'
const second = await makeSigner('ES256', 'key-2')

/** An issuer whose key set can change, fail and hang, and that counts. */
function makeIssuer(...keys: readonly object[]) {
  const state = { keys, failing: false, hanging: false, fetches: 0, clock: { time: start } }
  const fetch = async () => {
    state.fetches += 1
    if (state.hanging) return new Promise<never>(() => {})
    if (state.failing) throw new Error('ECONNREFUSED')
    return { status: 200, body: Buffer.from(JSON.stringify({ keys: state.keys })) }
  }
  const guard = makeGuard({ keys: { jwksUri, fetch } }, state.clock)
  const tryToken = async (token: string | Promise<string>) => reasonOf(authenticate(guard, await token))
  const pass = (ms: number) => {
    state.clock.time += ms
  }
  return { state, guard, tryToken, pass }
}

/** A token that outlives the test. */
const longLived = { exp: seconds + 100_000 }

afterEach(() => void vi.useRealTimers())

describe('H01 rotation', () => {
  it('H01 a new key is fetched once and works at once, and the old one goes on while it is shown', async () => {
    const { state, tryToken } = makeIssuer(signer.jwk)
    expect(await tryToken(signer.sign())).toBe('passed')
    state.keys = [signer.jwk, second.jwk]
    expect(await tryToken(second.sign())).toBe('passed')
    expect(await tryToken(signer.sign({ jti: 'b' }))).toBe('passed')
    expect(state.fetches).toBe(2)
  })
  it('H01 a removed key stops working within the freshness of the set, also for tokens verified before', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    const token = await signer.sign(longLived)
    expect(await tryToken(token)).toBe('passed')
    state.keys = [second.jwk]
    pass(5 * 60_000)
    expect(await tryToken(token)).toBe('token.key')
    expect(await tryToken(second.sign(longLived))).toBe('passed')
  })
})

describe('H01 H03 a clock that was ahead and is set right', () => {
  const day = 24 * 60 * 60_000
  it.each([
    ['seconds', 5_000],
    ['a day', day],
  ])('H01 by %s: keys are loaded anew, and a removed one has ended', async (_, ahead) => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    pass(ahead)
    const token = await signer.sign(longLived)
    expect(await tryToken(token)).toBe('passed')
    state.keys = [second.jwk]
    pass(-ahead)
    expect(await tryToken(token)).toBe('token.key')
    expect(await tryToken(second.sign(longLived))).toBe('passed')
  })
  it('H01 twin: while it goes on rightly, the keys of a moment ago are not loaded anew', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    expect(await tryToken(signer.sign(longLived))).toBe('passed')
    pass(5_000)
    expect(await tryToken(signer.sign({ ...longLived, jti: 'b' }))).toBe('passed')
    expect(state.fetches).toBe(1)
  })
  it('H02 an unknown key id is looked for at once, and then not again in a cool-down', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    pass(day)
    expect(await tryToken(second.sign(longLived))).toBe('token.key')
    pass(-day)
    state.keys = [signer.jwk, second.jwk]
    expect(await tryToken(second.sign(longLived))).toBe('passed')
    const before = state.fetches
    expect(await tryToken(signer.sign({}, { kid: 'made-up' }))).toBe('token.key')
    expect(await tryToken(signer.sign({}, { kid: 'made-up-too' }))).toBe('token.key')
    expect(state.fetches).toBe(before + 1)
  })
  it('H03 at a start without the issuer: the keys come as soon as it answers', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    state.failing = true
    pass(day)
    expect(await tryToken(signer.sign(longLived))).toBe('keys.unavailable')
    state.failing = false
    pass(-day)
    expect(await tryToken(signer.sign(longLived))).toBe('passed')
  })
  it('H03 while the issuer is away, nobody knows how old its keys are', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    pass(day)
    expect(await tryToken(signer.sign(longLived))).toBe('passed')
    state.failing = true
    pass(-day)
    expect(await tryToken(signer.sign(longLived))).toBe('keys.unavailable')
  })
})

it('H02 a flood of made-up key ids causes one fetch in a cool-down, and good tokens pass meanwhile', async () => {
  const { state, tryToken, pass } = makeIssuer(signer.jwk)
  expect(await tryToken(signer.sign())).toBe('passed')
  const flood = await Promise.all(
    Array.from({ length: 200 }, async (_, at) => tryToken(signer.sign({}, { kid: `made-up-${at}` }))),
  )
  expect(new Set(flood)).toEqual(new Set(['token.key']))
  expect(await tryToken(signer.sign({ jti: 'other' }))).toBe('passed')
  expect(state.fetches).toBe(2)
  pass(30_000)
  expect(await tryToken(signer.sign({}, { kid: 'made-up' }))).toBe('token.key')
  expect(state.fetches).toBe(3)
})

it('H02 a token without a key id for which no key fits, or with one that is none, causes no load', async () => {
  const { state, tryToken } = makeIssuer(signer.jwk)
  const other = await makeSigner('ES384')
  expect(await tryToken(signer.sign({}, { kid: undefined }))).toBe('passed')
  expect(await tryToken(other.sign({}, { kid: undefined }))).toBe('token.key')
  expect(await tryToken(forge({ alg: 'ES256', typ: 'at+jwt', kid: 7 }))).toBe('token.key')
  expect(state.fetches).toBe(1)
})

describe('H03 the key set is away', () => {
  it('H03 at start every token gets 503 with Retry-After and without a challenge, until the keys come', async () => {
    const { state, guard, tryToken, pass } = makeIssuer(signer.jwk)
    state.failing = true
    expect(await tryToken(signer.sign())).toBe('keys.unavailable')
    expect(await tryToken(signer.sign())).toBe('keys.unavailable')
    expect(state.fetches).toBe(1)
    const refusal = await authenticate(guard, await signer.sign()).catch((error) => error)
    const answer = guard.refuse(refusal)
    expect(answer.status).toBe(503)
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.headers['www-authenticate']).toBeUndefined()
    state.failing = false
    pass(1_000)
    expect(await tryToken(signer.sign())).toBe('passed')
  })
  it('H03 later the old keys stay good for an hour, and then nothing is accepted', async () => {
    const { state, tryToken, pass } = makeIssuer(signer.jwk)
    const token = await signer.sign(longLived)
    expect(await tryToken(token)).toBe('passed')
    state.failing = true
    pass(10 * 60_000)
    expect(await tryToken(token)).toBe('passed')
    expect(await tryToken(signer.sign({ ...longLived, jti: 'new' }))).toBe('passed')
    expect(await tryToken(second.sign(longLived))).toBe('keys.unavailable')
    pass(50 * 60_000)
    expect(await tryToken(token)).toBe('keys.unavailable')
    expect(await tryToken(signer.sign({ ...longLived, jti: 'newer' }))).toBe('keys.unavailable')
    state.failing = false
    pass(1_000)
    expect(await tryToken(token)).toBe('passed')
  })
  it.each([
    ['status 500', 500, '{"keys":[]}'],
    ['no JSON', 200, 'keys'],
    ['no key set', 200, '{"key":[]}'],
    ['an array', 200, '[]'],
    ['keys that are no list', 200, '{"keys":{}}'],
    ['the same key twice', 200, '{"keys":[],"keys":[]}'],
    ['a thousand keys', 200, JSON.stringify({ keys: Array(1000).fill({}) })],
    ['a huge body', 200, `{"keys":[],"x":"${'a'.repeat(300_000)}"}`],
  ])('H03 %s is no key set', async (_, status, text) => {
    const fetch = async () => ({ status, body: Buffer.from(text) })
    expect(await reasonOf(authenticate(makeGuard({ keys: { jwksUri, fetch } }), await signer.sign()))).toBe(
      'keys.unavailable',
    )
  })
})

describe('H05 redirects', async () => {
  const servers = await Promise.all([0, 1].map(() => createServer().listen(0, '127.0.0.1')))
  const [asked, elsewhere] = servers as [(typeof servers)[0], (typeof servers)[0]]
  const portOf = (server: (typeof servers)[0]) => (server.address() as AddressInfo).port
  let elsewhereAsked = 0
  elsewhere.on('request', (_, response) => {
    elsewhereAsked += 1
    response.end(JSON.stringify({ keys: [signer.jwk] }))
  })
  asked.on('request', (request, response) => {
    if (request.url === '/jwks') response.end(JSON.stringify({ keys: [signer.jwk] }))
    else if (request.url === '/endless') {
      const chunk = 'x'.repeat(64 * 1024)
      const more = () => {
        if (response.destroyed) return
        response.write(chunk)
        setImmediate(more)
      }
      more()
    } else response.writeHead(302, { location: `http://127.0.0.1:${portOf(elsewhere)}/jwks` }).end()
  })
  const tryUri = async (path: string): Promise<string> => {
    const uri = `http://127.0.0.1:${portOf(asked)}${path}`
    return reasonOf(authenticate(makeGuard({ keys: { jwksUri: uri } }), await signer.sign()))
  }
  it('H05 a redirect of the key set is not followed; the plain one is read by the runtime’s own fetch', async () => {
    expect(await tryUri('/moved')).toBe('keys.unavailable')
    expect(elsewhereAsked).toBe(0)
    expect(await tryUri('/jwks')).toBe('passed')
  })
  it('H06 an endless key set is cut off', async () => {
    expect(await tryUri('/endless')).toBe('keys.unavailable')
    for (const server of servers) server.closeAllConnections()
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  })
})

it('H06 a key set that hangs is given up after three seconds, by all who wait for it, with one fetch', async () => {
  const { state, tryToken } = makeIssuer(signer.jwk)
  state.hanging = true
  const token = await signer.sign()
  vi.useFakeTimers()
  const waiting = Promise.all([1, 2, 3].map(() => tryToken(token)))
  await vi.advanceTimersByTimeAsync(2_999)
  expect(await Promise.race([waiting, Promise.resolve('waiting')])).toBe('waiting')
  await vi.advanceTimersByTimeAsync(1)
  expect(await waiting).toEqual(Array(3).fill('keys.unavailable'))
  expect(state.fetches).toBe(1)
})

it('H06 a load that ended in time leaves no timer behind', async () => {
  const { tryToken } = makeIssuer(signer.jwk)
  const token = await signer.sign()
  vi.useFakeTimers()
  expect(await tryToken(token)).toBe('passed')
  expect(vi.getTimerCount()).toBe(0)
})

/** An issuer whose loads end when the test says so. */
function makeSlowIssuer(keys: readonly object[] = [signer.jwk]) {
  const clock = { time: start }
  const ends: (() => void)[] = []
  const fetch = async () => {
    await new Promise<void>((resolve) => ends.push(resolve))
    return { status: 200, body: Buffer.from(JSON.stringify({ keys })) }
  }
  const pass = (ms: number) => {
    clock.time += ms
  }
  return { ends, pass, guard: makeGuard({ keys: { jwksUri, fetch } }, clock) }
}

describe('H06 who asks while the keys are being loaded', () => {
  it('H06 twin: waits for the one load where there are no keys yet, and is answered by it', async () => {
    const { ends, guard } = makeSlowIssuer()
    const token = await signer.sign()
    const waiting = [1, 2, 3].map(() => reasonOf(authenticate(guard, token)))
    await vi.waitFor(() => expect(ends).toHaveLength(1))
    // All three have asked by now: the fingerprint of a token takes no timer.
    await new Promise((resolve) => setImmediate(resolve))
    ends[0]?.()
    expect(await Promise.all(waiting)).toEqual(['passed', 'passed', 'passed'])
    expect(ends).toHaveLength(1)
  })
  it('H01 waits for the load that an unknown key id began', async () => {
    const keys = [signer.jwk]
    const { ends, guard } = makeSlowIssuer(keys)
    const first = reasonOf(authenticate(guard, await signer.sign()))
    await vi.waitFor(() => expect(ends).toHaveLength(1))
    ends[0]?.()
    expect(await first).toBe('passed')
    keys.push(second.jwk)
    const tokens = await Promise.all([second.sign(), second.sign({ jti: 'b' })])
    const waiting = tokens.map((token) => reasonOf(authenticate(guard, token)))
    await vi.waitFor(() => expect(ends).toHaveLength(2))
    await new Promise((resolve) => setImmediate(resolve))
    ends[1]?.()
    expect(await Promise.all(waiting)).toEqual(['passed', 'passed'])
    expect(ends).toHaveLength(2)
  })
  it('H03 does not wait where the old keys are still good', async () => {
    const { ends, guard, pass } = makeSlowIssuer()
    const token = await signer.sign(longLived)
    const first = reasonOf(authenticate(guard, token))
    await vi.waitFor(() => expect(ends).toHaveLength(1))
    ends[0]?.()
    expect(await first).toBe('passed')
    // The deadline of the load cannot come, so that waiting for it would never end.
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    pass(5 * 60_000)
    const loading = reasonOf(authenticate(guard, token))
    await vi.waitFor(() => expect(ends).toHaveLength(2))
    // While that load goes on:
    expect(await reasonOf(authenticate(guard, token))).toBe('passed')
    expect(await reasonOf(authenticate(guard, await signer.sign({ ...longLived, jti: 'new' })))).toBe(
      'passed',
    )
    ends[1]?.()
    expect(await loading).toBe('passed')
    expect(ends).toHaveLength(2)
  })
})

describe('keys that must not verify', async () => {
  const rsa = await makeSigner('RS256', 'key-1')
  const secret = await exportJWK(signer.privateKey)
  it.each<[string, object]>([
    ['G26 RSA of 1024 bits', { ...rsa.jwk, n: Buffer.alloc(128, 0xc3).toString('base64url') }],
    ['G26 RSA of 2047 bits', { ...rsa.jwk, n: Buffer.alloc(256, 0x7f).toString('base64url') }],
    ['G26 e = 1', { ...rsa.jwk, e: 'AQ' }],
    ['G26 e = 3', { ...rsa.jwk, e: 'Aw' }],
    ['G26 even e', { ...rsa.jwk, e: 'AQAC' }],
    ['G26 P-192', { ...signer.jwk, crv: 'P-192', alg: undefined }],
    ['G26 secp256k1', { ...signer.jwk, crv: 'secp256k1' }],
    ['G26 a point beside the curve', { ...signer.jwk, y: signer.jwk.x }],
    ['G26 no point', { ...signer.jwk, y: undefined }],
    ['H07 use enc', { ...signer.jwk, use: 'enc' }],
    ['H07 key_ops sign', { ...signer.jwk, key_ops: ['sign'] }],
    ['H07 key_ops of another type', { ...signer.jwk, key_ops: 'verify' }],
    ['H07 another alg', { ...signer.jwk, alg: 'ES384' }],
    ['H07 alg of HMAC', { ...signer.jwk, alg: 'HS256' }],
    ['H07 a symmetric key', { kty: 'oct', k: 'AAAA', kid: 'key-1' }],
    ['H07 a private key', { ...secret, kid: 'key-1' }],
    ['H07 kid that is no string', { ...signer.jwk, kid: 1 }],
    ['H07 null', null as unknown as object],
  ])('%s is skipped, and good keys beside it work', async (_, jwk) => {
    const { tryToken } = makeIssuer(jwk, second.jwk)
    const claims = await (/RSA|e = |even/.test(_) ? rsa : signer).sign()
    expect(await tryToken(claims)).toBe('token.key')
    expect(await tryToken(second.sign())).toBe('passed')
  })
  it('H07 twin: no use, no alg, no key_ops, or verify among them', async () => {
    const bare = { kty: signer.jwk.kty, crv: signer.jwk.crv, x: signer.jwk.x, y: signer.jwk.y, kid: 'key-1' }
    for (const jwk of [bare, { ...bare, key_ops: ['verify'] }]) {
      expect(await makeIssuer(jwk).tryToken(signer.sign())).toBe('passed')
    }
  })
  it.each<[string, object]>([
    ['G26 a modulus of another type', { ...rsa.jwk, n: 7 }],
    ['G26 an exponent of another type', { ...rsa.jwk, e: 65_537 }],
    ['G26 an empty modulus', { ...rsa.jwk, n: '' }],
    ['G26 an empty exponent', { ...rsa.jwk, e: '' }],
    ['G26 a modulus in other letters', { ...rsa.jwk, n: `${rsa.jwk.n}+/` }],
    ['G26 an exponent with white space', { ...rsa.jwk, e: ' AQAB' }],
    [
      'G26 an exponent of 65 bits',
      { ...rsa.jwk, e: Buffer.from([1, ...Array(7).fill(0), 1]).toString('base64url') },
    ],
    [
      'G26 an exponent of 65 bits, all of them',
      { ...rsa.jwk, e: Buffer.alloc(9, 255).toString('base64url') },
    ],
    [
      'G26 a modulus of more than 4,096 characters',
      { ...rsa.jwk, n: Buffer.alloc(3073, 0xc3).toString('base64url') },
    ],
    ['G26 x that is no text', { ...signer.jwk, x: 7 }],
    ['G26 y that is no text', { ...signer.jwk, y: 7 }],
    ['H07 another type of key', { ...signer.jwk, kty: 'OKP' }],
    ['H07 no type of key', { ...signer.jwk, kty: undefined }],
    ['H07 kid that is no string', { ...signer.jwk, kid: 1 }],
  ])('%s is no key at all, also for a token without a key id', async (_, jwk) => {
    const maker = 'n' in jwk ? rsa : signer
    expect(await makeIssuer(jwk).tryToken(maker.sign({}, { kid: undefined }))).toBe('token.key')
  })
  it('H07 twin: the same two keys as they are, and a key without an id', async () => {
    for (const maker of [rsa, signer]) {
      expect(await makeIssuer(maker.jwk).tryToken(maker.sign({}, { kid: undefined }))).toBe('passed')
      const nameless = makeIssuer({ ...maker.jwk, kid: undefined })
      expect(await nameless.tryToken(maker.sign({}, { kid: undefined }))).toBe('passed')
      expect(await nameless.tryToken(maker.sign())).toBe('token.key')
    }
  })
  it.each([
    ['ES256', ['ES256']],
    ['ES384', ['ES384']],
    ['Ed25519', ['EdDSA', 'Ed25519']],
    ['RS256', ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ])(
    'H07 G03 a key for %s that names no algorithm is used with those of its kind only',
    async (name, fitting) => {
      const { jwk } = await makeSigner(name, 'key-1')
      const { tryToken } = makeIssuer({ ...jwk, alg: undefined })
      for (const alg of ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'RS256', 'RS512', 'PS256', 'PS512']) {
        const refusal = fitting.includes(alg) ? 'token.signature' : 'token.key'
        expect([alg, await tryToken(forge({ alg, typ: 'at+jwt', kid: 'key-1' }))]).toEqual([alg, refusal])
      }
    },
  )
  it('G09 two keys of the same id and algorithm are not tried one after the other', async () => {
    const twin = await makeSigner('ES256', 'key-1')
    expect(await makeIssuer(signer.jwk, twin.jwk).tryToken(signer.sign())).toBe('token.key')
  })
})
