import { constants, KeyObject, sign, verify } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { authenticate, makeGuard, makeSigner, reasonOf, type Signer, start } from './fixture.ts'

const algorithms = [
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
]

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
})

const tryToken = async (signer: Signer, token: string): Promise<string> =>
  reasonOf(authenticate(makeGuard({ keys: { jwks: async () => ({ keys: [signer.jwk] }) } }), token))

/** The token with another signature over the same bytes. */
function resign(token: string, make: (signed: Buffer) => Buffer): string {
  const signed = token.slice(0, token.lastIndexOf('.'))
  return `${signed}.${make(Buffer.from(signed)).toString('base64url')}`
}

const signatureOf = (token: string): Buffer =>
  Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url')

describe.each([
  ['with node:crypto', true],
  ['on a runtime without it', false],
])('RS-09 signatures %s', (_, hasNode) => {
  const run = async (signer: Signer, token: string): Promise<string> => {
    if (!hasNode) vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
    return tryToken(signer, token)
  }

  test.each(algorithms)(
    'RS-09 %s: the right one passes; of another key, changed or cut it does not',
    async (name) => {
      const signer = await makeSigner(name)
      const other = await makeSigner(name)
      const token = await signer.sign()
      expect(await run(signer, token)).toBe('passed')
      expect(await run(signer, await other.sign())).toBe('token.signature')
      const good = signatureOf(token)
      const changed = Buffer.from(good)
      changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1
      for (const wrong of [changed, good.subarray(1), good.subarray(0, -1), Buffer.concat([good, good])]) {
        expect(
          await run(
            signer,
            resign(token, () => wrong),
          ),
        ).toBe('token.signature')
      }
      expect(
        await run(
          signer,
          resign(token, () => Buffer.alloc(good.length)),
        ),
      ).toBe('token.signature')
    },
  )

  test('G25 an ECDSA signature in DER is none, although it is right', async () => {
    const signer = await makeSigner('ES256')
    const key = KeyObject.from(signer.privateKey as Parameters<typeof KeyObject.from>[0])
    const signWith = (dsaEncoding: 'der' | 'ieee-p1363') => (signed: Buffer) =>
      sign('sha256', signed, { key, dsaEncoding })
    const token = await signer.sign()
    expect(await run(signer, resign(token, signWith('der')))).toBe('token.signature')
    expect(await run(signer, resign(token, signWith('ieee-p1363')))).toBe('passed')
  })

  test.each(['RS256', 'PS256'])(
    'RS-09 %s is as long as its key: no zero is cut off or put before it',
    async (name) => {
      const signer = await makeSigner(name)
      const key = KeyObject.from(signer.privateKey as Parameters<typeof KeyObject.from>[0])
      const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
      const make = (signed: Buffer) => sign('sha256', signed, name === 'PS256' ? { key, ...pss } : key)
      let token = ''
      // One of 256 signatures begins with a zero.
      for (let at = 0; at === 0 || signatureOf(token)[0] !== 0; at++)
        token = resign(await signer.sign({ jti: `token-${at}` }), make)
      const right = signatureOf(token)
      for (const wrong of [right.subarray(1), Buffer.concat([Buffer.alloc(1), right])]) {
        const changed = resign(token, () => wrong)
        expect(await run(signer, changed)).toBe('token.signature')
      }
      expect(await run(signer, token)).toBe('passed')
    },
  )

  test('RS-09 RSA-PSS with a salt of another length, and PKCS #1 under its name, are none', async () => {
    const signer = await makeSigner('PS256')
    const key = KeyObject.from(signer.privateKey as Parameters<typeof KeyObject.from>[0])
    const pss = (saltLength: number) => (signed: Buffer) =>
      sign('sha256', signed, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
    const token = await signer.sign()
    expect(await run(signer, resign(token, pss(20)))).toBe('token.signature')
    expect(
      await run(
        signer,
        resign(token, (signed) => sign('sha256', signed, key)),
      ),
    ).toBe('token.signature')
    expect(await run(signer, resign(token, pss(32)))).toBe('passed')
  })
})

describe('RS-09 which crypto is asked', () => {
  const withVersion = (name: string): object =>
    Object.create(process, { versions: { value: { ...process.versions, [name]: '1.0.0' } } })

  test.each([
    ['Bun', withVersion('bun')],
    ['Deno', withVersion('deno')],
    ['where versions are not told', Object.create(process, { versions: { value: undefined } })],
    [
      'where there is no getBuiltinModule',
      Object.create(process, { getBuiltinModule: { value: undefined } }),
    ],
    ['where there is no process', undefined],
  ])('RS-09 %s: a right signature passes, that of another key does not', async (_, runtime) => {
    const signer = await makeSigner('ES256')
    const other = await makeSigner('ES256')
    const tokens = [await signer.sign(), await other.sign()]
    vi.stubGlobal('process', runtime)
    const seen = []
    for (const token of tokens) seen.push(await tryToken(signer, token))
    vi.unstubAllGlobals()
    expect(seen).toEqual(['passed', 'token.signature'])
  })

  test('RS-09 node:crypto is asked on Node alone: what others offer under the name is not trusted', async () => {
    const signer = await makeSigner('ES256')
    const token = await signer.sign()
    for (const [runtime, times] of [
      [withVersion('bun'), 0],
      [withVersion('deno'), 0],
      [process, 1],
    ] as const) {
      const guard = makeGuard({ keys: { jwks: async () => ({ keys: [signer.jwk] }) } })
      const verify = vi.fn(() => true)
      vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ KeyObject, verify } as never)
      vi.stubGlobal('process', runtime)
      await authenticate(guard, token)
      vi.unstubAllGlobals()
      vi.restoreAllMocks()
      expect(verify).toHaveBeenCalledTimes(times)
    }
  })

  test('G38 the signature of a remembered token is verified once, also after the same keys were loaded again', async () => {
    const signer = await makeSigner('ES256')
    const token = await signer.sign()
    const clock = { time: start }
    const keys = { jwks: async () => ({ keys: [{ ...signer.jwk }] }) }
    const guard = makeGuard({ keys }, clock)
    const counted = vi.fn(verify)
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ KeyObject, verify: counted } as never)
    for (const minutes of [0, 1, 5, 9]) {
      clock.time = start + minutes * 60_000
      await authenticate(guard, token)
    }
    expect(counted).toHaveBeenCalledTimes(1)
    await authenticate(guard, await signer.sign({ jti: 'other' }))
    expect(counted).toHaveBeenCalledTimes(2)
  })

  test('RS-09 a library that throws has not said yes, and the log gets its words', async () => {
    const signer = await makeSigner('ES256')
    const token = await signer.sign()
    const guard = makeGuard({ keys: { jwks: async () => ({ keys: [signer.jwk] }) } })
    const broken = (): boolean => {
      throw new Error('provider is gone')
    }
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ KeyObject, verify: broken } as never)
    await expect(authenticate(guard, token)).rejects.toMatchObject({
      reason: 'token.signature',
      cause: { message: 'provider is gone' },
    })
  })
})
