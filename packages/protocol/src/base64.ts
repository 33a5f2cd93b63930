const urlAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The value of each character by its code; what is not in the alphabet never gets here. */
const values = new Uint8Array(128)
for (let value = 0; value < urlAlphabet.length; value += 1) values[urlAlphabet.charCodeAt(value)] = value

/**
 * The bytes of an unpadded base64url text (RFC 7515 section 2), or undefined: other characters, an impossible length, or bits
 * behind the last byte. So each value has exactly one spelling, and a token cannot be varied without being changed.
 */
export function readBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let buffer = 0
  let bits = 0
  let at = 0
  for (let place = 0; place < text.length; place += 1) {
    buffer = ((buffer << 6) | (values[text.charCodeAt(place)] ?? 0)) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at] = (buffer >> bits) & 0xff
    at += 1
  }
  return (buffer & ((1 << bits) - 1)) === 0 ? bytes : undefined
}

/** The bytes of a padded standard base64 text (RFC 4648 section 4), under the same strictness as `readBase64Url`. */
export function readBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  return readBase64Url(text.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_'))
}
