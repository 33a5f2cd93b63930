/**
 * An ECDSA signature of JWS, two numbers of `size` bytes side by side and nothing else (RFC 7518 section 3.4), in DER (RFC 3279
 * section 2.2.3); undefined for any other length. So each signature has one form, and node:crypto, which for the other form asks
 * the key for its curve each time, verifies it in two thirds of the time.
 */
export function formatDerSignature(signature: Uint8Array, size: number): Uint8Array | undefined {
  if (signature.length !== 2 * size) return undefined
  const numbers = [...formatInteger(signature.subarray(0, size)), ...formatInteger(signature.subarray(size))]
  return Uint8Array.from([0x30, ...(numbers.length > 0x7f ? [0x81] : []), numbers.length, ...numbers])
}

/** Positive, so a zero stands before a high first bit; and otherwise no zero in front. */
function formatInteger(bytes: Uint8Array): readonly number[] {
  const found = bytes.findIndex((byte) => byte !== 0)
  const digits = found === -1 ? [0] : Array.from(bytes.subarray(found))
  if ((digits[0] ?? 0) > 0x7f) digits.unshift(0)
  return [0x02, digits.length, ...digits]
}
