import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { expect, test } from 'vitest'
import { joinHalves } from '../src/tokens/sign.ts'

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A signature as OpenSSL writes it: positive integers in as few bytes as they need. */
function toDer(...halves: readonly (readonly number[])[]): Uint8Array {
  const integers = halves.flatMap((half) => [2, half.length, ...half])
  return Uint8Array.of(0x30, integers.length, ...integers)
}

const full = Array.from({ length: 32 }, (_, at) => at + 1)
const high = full.map((byte) => byte | 0x80)

test.each([
  ['full', full, full],
  ['with their first bit set', [0, ...high], high],
  ['one byte short', full.slice(1), [0, ...full.slice(1)]],
  ['a single byte', [7], [...new Array<number>(31).fill(0), 7]],
])('halves: %s', (_name, integer, half) => {
  expect([...joinHalves(toDer(integer, full))]).toEqual([...half, ...full])
  expect([...joinHalves(toDer(full, integer))]).toEqual([...full, ...half])
})

test('2,000 signatures, some with a short half among them, are what another implementation takes', () => {
  let short = 0
  for (let number = 0; number < 2_000; number += 1) {
    const text = Buffer.from(`text ${number}`)
    const der = sign('sha256', text, privateKey)
    const joined = joinHalves(der)
    if (joined[0] === 0 || joined[32] === 0) short += 1
    expect(verify('sha256', text, { key: publicKey, dsaEncoding: 'ieee-p1363' }, joined)).toBe(true)
  }
  expect(short).toBeGreaterThan(0)
})
