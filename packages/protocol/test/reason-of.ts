import fc from 'fast-check'
import { type Reason, Refusal } from '../src/index.ts'

/** The reason with which something is refused, or `accepted`. Any other error is a defect and comes through. */
export function reasonOf(act: () => unknown): Reason | 'accepted' {
  try {
    act()
    return 'accepted'
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
}

/** UTF-8 bytes of a text. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Any UTF-16 code unit, lone surrogates too; much quicker to set up than fast-check's own `binary` unit. */
export const anyUnit: fc.Arbitrary<string> = fc
  .oneof(fc.integer({ min: 0, max: 0x7f }), fc.integer({ min: 0, max: 0xffff }))
  .map((unit) => String.fromCharCode(unit))
