import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { seal, unseal } from '../src/tokens/seal.ts'
import { hashSecret, isSecret } from '../src/tokens/secret.ts'

const key = new Uint8Array(randomBytes(32))
const sealed = seal(key, 'one purpose', 'a text')

test('what was sealed opens with the same key and purpose, and is another value each time', () => {
  expect(unseal(key, 'one purpose', sealed)).toBe('a text')
  expect(unseal(key, 'one purpose', seal(key, 'one purpose', ''))).toBe('')
  expect(seal(key, 'one purpose', 'a text')).not.toBe(sealed)
})

test('it opens with no other key, for no other purpose, and not when changed or cut anywhere', () => {
  expect(() => unseal(new Uint8Array(randomBytes(32)), 'one purpose', sealed)).toThrow()
  expect(() => unseal(key, 'another purpose', sealed)).toThrow()
  const bytes = Buffer.from(sealed, 'base64url')
  for (let at = 0; at < bytes.length; at += 1) {
    const cut = bytes.subarray(0, at).toString('base64url')
    expect(() => unseal(key, 'one purpose', cut), `cut at ${at}`).toThrow()
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    expect(() => unseal(key, 'one purpose', changed.toString('base64url')), `changed at ${at}`).toThrow()
  }
})

test('a secret is known by its hash; another one, or a hash of another length, is not', () => {
  const hash = hashSecret('secret')
  expect(isSecret('secret', hash)).toBe(true)
  expect(isSecret('Secret', hash)).toBe(false)
  expect(isSecret('secret', '')).toBe(false)
  expect(isSecret('secret', `${hash}x`)).toBe(false)
})
