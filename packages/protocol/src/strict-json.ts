import { JsonScanner } from './json-scanner.ts'
import { Refusal } from './refusals.ts'

/** A JSON object as read: only its own properties count, whatever their names are (`__proto__` is a plain key). */
export type JsonObject = Readonly<Record<string, unknown>>

/** Bounds on the shape of a JSON text; its size in bytes is the business of whoever read the body. */
export interface JsonLimits {
  /** Objects and arrays within each other; default 64. */
  readonly depth?: number
  /** Members of all objects together; default 10,000. */
  readonly keys?: number
}

/** Whether a JSON value is an object: not an array, not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property, or undefined: `toString` and `constructor` are found only where the text had them. */
export function ownValue(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

// Without ignoreBOM the decoder drops the mark silently, and the next reader sees another text.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The value of a JSON text that every reader understands alike (RFC 8259, I-JSON RFC 7493).
 *
 * Refuses what two parsers may read differently: a byte order mark and invalid UTF-8 (`message.not-utf8`), the same key twice
 * in one object, also in another spelling (`message.duplicate-key`), lone surrogates (`message.not-json`), and numbers that a
 * double does not carry (`message.number`): beyond its range, integers that come back as other digits, minus zero. A number
 * with a fraction or an exponent asks for a double, so its last digits may round. Nesting and number of members are bounded
 * (`message.too-complex`). Does not bound the size in bytes.
 */
export function readStrictJson(bytes: Uint8Array, limits: JsonLimits = {}): unknown {
  return readStrictText(decode(bytes), limits)
}

/** The same for a text that somebody has decoded already, refusing what is not UTF-8. */
export function readStrictText(text: string, limits: JsonLimits = {}): unknown {
  if (text.charCodeAt(0) === 0xfeff) throw new Refusal('message.not-utf8', { detail: 'byte order mark' })
  new JsonScanner(text, limits.depth ?? 64, limits.keys ?? 10_000).scan()
  return JSON.parse(text)
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Refusal('message.not-utf8', { detail: 'invalid UTF-8', cause })
  }
}
