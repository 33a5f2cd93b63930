import { createPrivateKey, type KeyObject } from 'node:crypto'
import { Refusal } from '@warder/protocol'
import type { SigningKey, Store } from '@warder/store'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JSONWebKeySet } from 'jose'
import type { Options } from '../options.ts'
import { seal, unseal } from './seal.ts'

/** The keys of this issuer: one that signs, and the public ones that verify. */
export interface KeyRing {
  readonly kid: string
  /** On the curve P-256. */
  readonly privateKey: KeyObject
  readonly jwks: JSONWebKeySet
}

export type LoadKeys = () => Promise<KeyRing>

const purpose = 'signing-key'

/**
 * Loads the signing keys, and makes the first one where there is none; racing nodes agree on one. The private key leaves
 * this process only sealed with the operator's secret. Throws `keys.unavailable` when that secret does not open it.
 */
export function makeKeyLoader(
  options: Pick<Options, 'secret' | 'now'> & { readonly store: Store },
): LoadKeys {
  let ring: Promise<KeyRing> | undefined
  return () => {
    ring ??= loadKeyRing(options).catch((error: unknown) => {
      ring = undefined
      throw error
    })
    return ring
  }
}

async function loadKeyRing({
  store,
  secret,
  now,
}: Pick<Options, 'secret' | 'now'> & { readonly store: Store }): Promise<KeyRing> {
  const stored = await store.keys.list()
  const keys = stored.length > 0 ? stored : await store.keys.addFirst(await makeKey(secret, now()))
  const newest = keys.toSorted((a, b) => b.createdAt - a.createdAt)[0]
  if (newest === undefined)
    throw new Refusal('keys.unavailable', { detail: 'the store keeps no signing key' })
  return {
    kid: newest.kid,
    privateKey: openKey(secret, newest),
    jwks: { keys: keys.map((key) => JSON.parse(key.publicJwk)) },
  }
}

async function makeKey(secret: Uint8Array, now: number): Promise<SigningKey> {
  const pair = await generateKeyPair('ES256', { extractable: true })
  const bare = await exportJWK(pair.publicKey)
  const kid = await calculateJwkThumbprint(bare)
  return {
    kid,
    algorithm: 'ES256',
    publicJwk: JSON.stringify({ ...bare, kid, alg: 'ES256', use: 'sig' }),
    sealedPrivateJwk: seal(secret, purpose, JSON.stringify(await exportJWK(pair.privateKey))),
    createdAt: now,
  }
}

function openKey(secret: Uint8Array, key: SigningKey): KeyObject {
  try {
    const jwk = JSON.parse(unseal(secret, purpose, key.sealedPrivateJwk))
    const opened = createPrivateKey({ key: jwk, format: 'jwk' })
    if (opened.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('not a key for ES256')
    return opened
  } catch (cause) {
    throw new Refusal('keys.unavailable', { detail: 'the secret does not open the signing key', cause })
  }
}
