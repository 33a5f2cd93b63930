/**
 * An ECDSA signature of JWS, two numbers of `size` bytes side by side and nothing else (RFC 7518 section 3.4), in DER (RFC 3279
 * section 2.2.3); undefined for any other length. So each signature has one form, and node:crypto, which for the other form asks
 * the key for its curve each time, verifies it in two thirds of the time.
 */
export function formatDerSignature(signature: Uint8Array, size: number): Uint8Array<ArrayBuffer> | undefined {
  if (signature.length !== 2 * size) return undefined
  const numbers = [signature.subarray(0, size), signature.subarray(size)].map(readInteger)
  const length = numbers.reduce((sum, { length }) => sum + 2 + length, 0)
  // From 128 on the length stands in a byte of its own.
  const head = length > 0x7f ? [0x30, 0x81, length] : [0x30, length]
  const der = new Uint8Array(head.length + length)
  der.set(head)
  let at = head.length
  for (const { length, digits } of numbers) {
    der[at] = 0x02
    der[at + 1] = length
    at += 2 + length
    der.set(digits, at - digits.length)
  }
  return der
}

interface Integer {
  /** Without zeros in front. */
  readonly digits: Uint8Array
  /** One more where a zero must stand before a high first bit. */
  readonly length: number
}

function readInteger(bytes: Uint8Array): Integer {
  const found = bytes.findIndex((byte) => byte !== 0)
  const digits = bytes.subarray(found === -1 ? -1 : found)
  return { digits, length: digits.length + ((digits[0] ?? 0) > 0x7f ? 1 : 0) }
}
