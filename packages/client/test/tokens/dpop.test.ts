import { createHash } from 'node:crypto'
import { createOutbound } from '@warder/outbound'
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, EmbeddedJWK, jwtVerify } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createDpopKeys,
  createDpopNonces,
  type DpopNeed,
  type DpopState,
  decideDpop,
  requestToken,
  sendWithToken,
  type TokenSet,
} from '../../src/index.ts'
import { type Answer, type Seen, startTokenServer, type TokenServer } from './token-server.ts'

const outbound = createOutbound({ reach: 'loopback' })
const bound = { access_token: 'canary-bound', token_type: 'DPoP' }
const asksForNonce = (nonce: string): Answer => ({
  status: 400,
  headers: { 'dpop-nonce': nonce },
  body: { error: 'use_dpop_nonce' },
})

let server: TokenServer
let state: DpopState

beforeAll(async () => {
  server = await startTokenServer()
})
afterAll(() => server?.stop())
beforeEach(() => {
  state = { keys: createDpopKeys({ inMemory: true }), nonces: createDpopNonces() }
})

const ask = (need: DpopNeed, of: DpopState = state): Promise<TokenSet> =>
  requestToken({
    metadata: { issuer: server.issuer, tokenEndpoint: `${server.issuer}/token?tenant=1` },
    registration: { clientId: 'id' },
    fields: { grant_type: 'authorization_code', code: 'c' },
    outbound,
    dpop: { state: of, need },
  })

/** Answers the first three requests when all of them are there; only a proof with this nonce is good. */
const wantsOf = (nonce: string, { good, bad }: { readonly good: Answer; readonly bad: Answer }) => {
  const first = server.seen.length
  const all = Promise.withResolvers<void>()
  return async ({ headers }: Seen): Promise<Answer> => {
    if (server.seen.length >= first + 3) all.resolve()
    await all.promise
    return decodeJwt(String(headers['dpop']))['nonce'] === nonce ? good : bad
  }
}

const proofs = (from: number): string[] =>
  server.seen.slice(from).map(({ headers }) => String(headers['dpop']))

describe('the token request', () => {
  test('DP-01 carries a proof: method, URL without query, time, an id of its own, and the public key alone', async () => {
    server.answer({ body: bound })
    const from = server.seen.length
    const tokens = await ask('required')
    const [proof = ''] = proofs(from)
    const { payload } = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: ['ES256'] })
    expect(payload).toEqual({
      jti: expect.stringMatching(/^[\w-]{36}$/),
      htm: 'POST',
      htu: `${server.issuer}/token`,
      iat: expect.any(Number),
    })
    const { jwk } = decodeProtectedHeader(proof)
    expect(Object.keys(jwk ?? {}).sort()).toEqual(['crv', 'kty', 'x', 'y'])
    expect(await calculateJwkThumbprint(tokens.dpopKey as object)).toBe(
      await calculateJwkThumbprint(jwk ?? {}),
    )
  })

  test('a nonce that the server asks for is used at once, with a new proof, and kept for the next time', async () => {
    const from = server.seen.length
    server.answer(asksForNonce('one'), { body: bound })
    await ask('required')
    await ask('required')
    const sent = proofs(from).map((proof) => decodeJwt(proof))
    expect(sent.map(({ nonce }) => nonce)).toEqual([undefined, 'one', 'one'])
    expect(new Set(sent.map(({ jti }) => jti)).size).toBe(3)
  })

  test('of requests at the same time each is repeated once with the nonce that one of them learnt first', async () => {
    const from = server.seen.length
    server.answer(wantsOf('one', { good: { body: bound }, bad: asksForNonce('one') }))
    const tokens = await Promise.all([ask('required'), ask('required'), ask('required')])
    expect(tokens.map(({ tokenType }) => tokenType)).toEqual(['DPoP', 'DPoP', 'DPoP'])
    expect(proofs(from)).toHaveLength(6)
  })

  test.each([
    [
      'asks for one nonce after the other',
      [asksForNonce('one'), asksForNonce('two'), asksForNonce('three')],
      2,
    ],
    ['asks for a nonce and names none', [{ status: 400, body: { error: 'use_dpop_nonce' } }], 1],
    ['names a nonce with a space', [asksForNonce('a b')], 1],
  ] as const)('a server that %s is not asked for ever', async (_, answers, requests) => {
    const from = server.seen.length
    server.answer(...answers)
    await expect(ask('required')).rejects.toMatchObject({ error: 'use_dpop_nonce' })
    expect(proofs(from)).toHaveLength(requests)
  })

  test('Q19 a bearer token where a bound one was asked for: refused where it must be bound, taken where not', async () => {
    server.answer({ body: { ...bound, token_type: 'Bearer' } })
    await expect(ask('required')).rejects.toMatchObject({ reason: 'token-answer.unbound', transient: false })
    expect(await ask('preferred')).toMatchObject({ tokenType: 'Bearer' })
    expect((await ask('preferred')).dpopKey).toBeUndefined()
    server.answer({ body: bound })
    expect(await ask('preferred')).toMatchObject({ tokenType: 'DPoP' })
  })

  test('without need there is no proof', async () => {
    server.answer({ body: { ...bound, token_type: 'Bearer' } })
    const from = server.seen.length
    await ask('none')
    expect(proofs(from)).toEqual(['undefined'])
  })
})

describe('a request to the resource', () => {
  const call = async (tokens: TokenSet, of: DpopState = state): Promise<number> => {
    const url = `${server.issuer}/mcp?page=2`
    const send = (headers: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(url, { method: 'POST', headers, body: '{}' })
    return (await sendWithToken({ tokens, dpop: of, method: 'POST', url, send })).status
  }

  test('DP-01 CL-25 says DPoP, and the proof is of this token', async () => {
    server.answer({ body: bound })
    const tokens = await ask('required')
    const from = server.seen.length
    expect([await call(tokens), await call(tokens)]).toEqual([200, 200])
    const [first = '', second = ''] = proofs(from)
    expect(decodeJwt(first)).toMatchObject({
      htm: 'POST',
      htu: `${server.issuer}/mcp`,
      ath: createHash('sha256').update('canary-bound').digest('base64url'),
    })
    expect(decodeJwt(second).jti).not.toBe(decodeJwt(first).jti)
    expect(server.seen.at(-1)?.headers.authorization).toBe('DPoP canary-bound')
  })

  test('the nonces of authorization server and resource are kept apart, also at the same origin', async () => {
    server.answer(asksForNonce('of-as'), { body: bound })
    const tokens = await ask('required')
    const from = server.seen.length
    const challenge = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'of-rs' }
    server.answer({ status: 401, headers: challenge }, { status: 200 })
    expect(await call(tokens)).toBe(200)
    expect(proofs(from).map((proof) => decodeJwt(proof)['nonce'])).toEqual([undefined, 'of-rs'])
  })

  test('of requests at the same time each is repeated once with the nonce that one of them learnt first', async () => {
    server.answer({ body: bound })
    const tokens = await ask('required')
    const from = server.seen.length
    const headers = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'one' }
    server.answer(wantsOf('one', { good: { status: 200 }, bad: { status: 401, headers } }))
    expect(await Promise.all([call(tokens), call(tokens), call(tokens)])).toEqual([200, 200, 200])
    expect(proofs(from)).toHaveLength(6)
  })

  test('a server that asks for the nonce that it was sent is not asked again', async () => {
    server.answer({ body: bound })
    const tokens = await ask('required')
    const headers = { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'one' }
    server.answer({ status: 401, headers })
    await call(tokens)
    const from = server.seen.length
    expect(await call(tokens)).toBe(401)
    expect(proofs(from)).toHaveLength(1)
  })

  test.each([
    ['of another kind', 'DPoP error="invalid_token"'],
    ['of another scheme', 'Bearer error="use_dpop_nonce"'],
  ])('a 401 %s is the answer', async (_, challenge) => {
    server.answer({ body: bound })
    const tokens = await ask('required')
    const from = server.seen.length
    server.answer({ status: 401, headers: { 'www-authenticate': challenge, 'dpop-nonce': 'fresh' } })
    expect(await call(tokens)).toBe(401)
    expect(proofs(from)).toHaveLength(1)
  })

  test('a key that never leaves its process is of no use in another, and nothing is sent', async () => {
    server.answer({ body: bound })
    const tokens = await ask('required')
    const other = { keys: createDpopKeys({ inMemory: true }), nonces: createDpopNonces() }
    const from = server.seen.length
    await expect(call(tokens, other)).rejects.toMatchObject({ reason: 'client-key.unusable' })
    await expect(call({ ...tokens, dpopKey: { kty: 'EC' } })).rejects.toMatchObject({
      reason: 'client-key.unusable',
    })
    expect(server.seen.length).toBe(from)
    expect(await call(tokens)).toBe(200)
  })

  test('a key in the record works in another process', async () => {
    server.answer({ body: bound })
    const tokens = await ask('required', { ...state, keys: createDpopKeys({ inMemory: false }) })
    const other = { keys: createDpopKeys({ inMemory: false }), nonces: createDpopNonces() }
    expect(await call(tokens, other)).toBe(200)
    const { jwk } = decodeProtectedHeader(proofs(server.seen.length - 1)[0] ?? '')
    expect(jwk).not.toHaveProperty('d')
  })

  test('CL-26 a bearer token goes as Bearer, without a proof', async () => {
    server.answer({ status: 200 })
    await call({ accessToken: 'plain', tokenType: 'Bearer', obtainedAt: 0, generation: 1 })
    expect(server.seen.at(-1)?.headers).toMatchObject({ authorization: 'Bearer plain' })
    expect(server.seen.at(-1)?.headers['dpop']).toBeUndefined()
  })
})

test.each([
  [
    'never, whatever the servers want',
    { mode: 'never', challenged: ['DPoP'], isRequiredByResource: true },
    'none',
  ],
  ['always, whatever they say', { mode: 'always' }, 'required'],
  ['auto, and the resource requires it', { mode: 'auto', isRequiredByResource: true }, 'required'],
  ['auto, and the challenge is DPoP alone', { mode: 'auto', challenged: ['DPoP'] }, 'required'],
  [
    'auto, and both know it',
    { mode: 'auto', serverAlgorithms: ['ES256'], resourceAlgorithms: ['ES256'] },
    'preferred',
  ],
  [
    'auto, and the challenge is either',
    { mode: 'auto', serverAlgorithms: ['ES256'], challenged: ['Bearer', 'dpop'] },
    'preferred',
  ],
  [
    'auto, and the resource says nothing',
    { mode: 'auto', serverAlgorithms: ['ES256'], challenged: ['Bearer'] },
    'none',
  ],
  ['auto, and the server says nothing', { mode: 'auto', resourceAlgorithms: ['ES256'] }, 'none'],
  [
    'auto, and we know none of the algorithms',
    { mode: 'auto', serverAlgorithms: ['RS256'], resourceAlgorithms: ['RS256'] },
    'none',
  ],
] as const)('DPoP: %s', (_, of, need) => {
  expect(decideDpop(of)).toBe(need)
})
