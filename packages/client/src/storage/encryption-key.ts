import { createCipheriv, createDecipheriv, hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { isJsonObject, readStrictText } from '@warder/protocol'
import { StoreUnavailable } from './store-unavailable.ts'

/** What a user gives to open an encrypted store. */
export type KeySource =
  /** Something long and random. `origin` is what to call it in words, such as the name of its file. */
  | { readonly kind: 'key'; readonly secret: string; readonly origin: string }
  /** Something that a person can remember. */
  | { readonly kind: 'passphrase'; readonly secret: string }

/** How the key of one store comes from what the user gives; stands beside the records, and is no secret. */
export interface KeyHeader {
  readonly version: 1
  readonly kind: KeySource['kind']
  readonly salt: string
  /** Of scrypt (RFC 7914), for a passphrase. */
  readonly cost?: number
  /** Something known under the key, so that a wrong one is noticed before anything is written with it. */
  readonly check: string
}

/** 2^17 takes 128 MB and about half a second: once for a process, and for each guess. */
const scryptCost = 131_072
const leastCost = 32_768
const mostCost = 1_048_576
const known = 'warder credentials'

/** A header for a new store, and its key. */
export async function makeKey(source: KeySource): Promise<{ header: KeyHeader; key: Buffer }> {
  const salt = randomBytes(32)
  const cost = source.kind === 'passphrase' ? { cost: scryptCost } : {}
  const key = await deriveKey(source, salt, scryptCost)
  const check = sealText(key, 'check', known)
  return { key, header: { version: 1, kind: source.kind, salt: salt.toString('base64url'), ...cost, check } }
}

/** The key of a store that is there. Throws `StoreUnavailable` ('denied') when what the user gave is not the right thing. */
export async function openKey(source: KeySource, text: string): Promise<Buffer> {
  const header = readHeader(text)
  if (header.kind !== source.kind)
    throw denied(`it was made with a ${wordOf(header.kind)}, not a ${wordOf(source.kind)}`)
  const key = await deriveKey(source, Buffer.from(header.salt, 'base64url'), header.cost ?? scryptCost)
  if (openText(key, 'check', header.check) === known) return key
  throw denied(source.kind === 'key' ? `${source.origin} is not its key` : 'the passphrase is wrong')
}

/** AES-256-GCM with a nonce of its own for each text; it opens under the name that it was sealed for and under no other. */
export function sealText(key: Buffer, name: string, text: string): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(boundTo(name))
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `1.${nonce.toString('base64url')}.${sealed.toString('base64url')}`
}

/** The text, or undefined when the key, the name or a single bit is another. */
export function openText(key: Buffer, name: string, sealed: string): string | undefined {
  const [, nonce, body] = /^1\.([\w-]{16})\.([\w-]+)$/.exec(sealed) ?? []
  if (nonce === undefined || body === undefined) return undefined
  const bytes = Buffer.from(body, 'base64url')
  if (bytes.length < 16) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
    authTagLength: 16,
  })
  decipher.setAAD(boundTo(name)).setAuthTag(bytes.subarray(-16))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, -16)), decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}

const boundTo = (name: string): Buffer => Buffer.from(`warder credential 1\0${name}`)

async function deriveKey({ kind, secret }: KeySource, salt: Buffer, cost: number): Promise<Buffer> {
  if (kind === 'key') return Buffer.from(hkdfSync('sha256', secret, salt, 'warder credentials 1', 32))
  return await new Promise<Buffer>((resolve, reject) => {
    const parameters = { N: cost, r: 8, p: 1, maxmem: 130 * 8 * cost }
    // As typed on another system, an accent may be a character of its own.
    scrypt(secret.normalize('NFC'), salt, 32, parameters, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

function readHeader(text: string): KeyHeader {
  let value: unknown
  try {
    value = readStrictText(text)
  } catch {
    throw denied('its header is damaged')
  }
  if (!isJsonObject(value) || value['version'] !== 1)
    throw denied('a newer version made it, or its header is damaged')
  const { kind, salt, cost, check } = value
  const isKind = kind === 'key' || kind === 'passphrase'
  // Less would make guessing cheap for whoever can write here, more would stop the machine.
  const isCost = Number.isSafeInteger(cost) && Number(cost) >= leastCost && Number(cost) <= mostCost
  const isPower = isCost && Number.isInteger(Math.log2(Number(cost)))
  if (
    !isKind ||
    typeof salt !== 'string' ||
    typeof check !== 'string' ||
    (kind === 'passphrase' && !isPower)
  ) {
    throw denied('its header is damaged')
  }
  return { version: 1, kind, salt, check, ...(kind === 'passphrase' && { cost: Number(cost) }) }
}

const wordOf = (kind: KeySource['kind']): string => (kind === 'key' ? 'key file' : 'passphrase')

const denied = (why: string): StoreUnavailable =>
  new StoreUnavailable('denied', `the encrypted credentials cannot be opened: ${why}`)
