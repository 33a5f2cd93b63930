import { sign, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { formatDerSignature } from '../src/der-signature.ts'
import { makeSigner } from './fixture.ts'

describe('G25 a signature of two numbers side by side, in DER', async () => {
  const algorithms = [
    { algorithm: 'ES256', digest: 'sha256', size: 32 },
    { algorithm: 'ES384', digest: 'sha384', size: 48 },
    { algorithm: 'ES512', digest: 'sha512', size: 66 },
  ]
  it.each(algorithms)(
    'G25 $algorithm is the same signature, whatever its numbers begin with',
    async (way) => {
      const { privateKey, publicKey } = await makeSigner(way.algorithm)
      const { KeyObject } = process.getBuiltinModule('node:crypto')
      const key = KeyObject.from(privateKey)
      // Enough that a number with a zero in front is among them (one of 128 signatures).
      for (let at = 0; at < 600; at += 1) {
        const data = Buffer.from(`${way.algorithm} ${at}`)
        const signature = sign(way.digest, data, { key, dsaEncoding: 'ieee-p1363' })
        const der = formatDerSignature(signature, way.size)!
        expect(verify(way.digest, data, KeyObject.from(publicKey), der)).toBe(true)
        der[der.length - 1]! ^= 1
        expect(verify(way.digest, data, KeyObject.from(publicKey), der)).toBe(false)
      }
    },
  )
  it('G25 numbers are as short as they can be, and positive', () => {
    const der = (first: number[], second: number[]) =>
      Array.from(formatDerSignature(Uint8Array.from([...first, ...second]), first.length)!)
    expect(der([1, 2], [3, 4])).toEqual([0x30, 8, 2, 2, 1, 2, 2, 2, 3, 4])
    expect(der([0, 2], [0x80, 4])).toEqual([0x30, 8, 2, 1, 2, 2, 3, 0, 0x80, 4])
    expect(der([0, 0x80], [0, 0])).toEqual([0x30, 7, 2, 2, 0, 0x80, 2, 1, 0])
  })
  it('G25 any other length is none', () => {
    expect(formatDerSignature(new Uint8Array(64), 32)).toBeDefined()
    for (const length of [0, 32, 63, 65, 96])
      expect(formatDerSignature(new Uint8Array(length), 32)).toBeUndefined()
  })
})
