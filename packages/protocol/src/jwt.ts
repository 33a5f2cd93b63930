import { readBase64Url } from './base64.ts'
import { Refusal } from './refusals.ts'
import { isJsonObject, type JsonObject, readStrictJson } from './strict-json.ts'

/** A JSON Web Signature in its three parts, unverified: nothing in it may be believed yet. */
export interface CompactJws {
  readonly header: JsonObject
  readonly payload: JsonObject
  /** What the signature is over: the first two parts with their dot, as bytes. */
  readonly signingInput: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

const maxLength = 16_384

/**
 * The parts of a JWT (RFC 7515 section 7.1) of at most 16 KB: exactly three, none empty, strict base64url, header and payload JSON
 * objects without duplicate keys; else `token.malformed`. Encrypted, detached and JSON-serialized tokens do not get through.
 * Verifies nothing: algorithm, type, key, signature and claims are the guard's.
 */
export function readCompactJws(token: string): CompactJws {
  if (token.length > maxLength) throw malformed('length')
  const parts = token.split('.', 4)
  const [header = '', payload = '', signature = ''] = parts
  if (parts.length !== 3 || signature === '') throw malformed('parts')
  return {
    header: readPart(header),
    payload: readPart(payload),
    signingInput: new TextEncoder().encode(`${header}.${payload}`),
    signature: readBytes(signature),
  }
}

function readPart(text: string): JsonObject {
  let value: unknown
  try {
    value = readStrictJson(readBytes(text), { depth: 16, keys: 1000 })
  } catch (cause) {
    throw new Refusal('token.malformed', { detail: String(cause), cause })
  }
  if (!isJsonObject(value)) throw malformed('not an object')
  return value
}

function readBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = readBase64Url(text)
  if (bytes === undefined) throw malformed('base64url')
  return bytes
}

function malformed(detail: string): Refusal {
  return new Refusal('token.malformed', { detail })
}

/** The `typ` values of an access token (RFC 9068 section 4). Compare by `isAccessTokenType`: case does not count. */
export const accessTokenTypes: readonly string[] = ['at+jwt', 'application/at+jwt']

/** Whether a `typ` header names an access token, and not an ID token, a logout token or any other JWT (RFC 8725 section 3.11). */
export function isAccessTokenType(typ: unknown): boolean {
  return typeof typ === 'string' && accessTokenTypes.includes(typ.toLowerCase())
}
