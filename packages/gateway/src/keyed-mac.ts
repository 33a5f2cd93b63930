import { createHmac, createSecretKey } from 'node:crypto'

/** HMAC-SHA-256 as base64url; a text counts as the bytes of its Latin-1 characters. */
export type KeyedMac = (text: Uint8Array | string) => string

/** HMAC-SHA-256 with one key. As a key object it is prepared once: as bytes it would cost six times as much at each text. */
export function createKeyedMac(key: Uint8Array): KeyedMac {
  const secret = createSecretKey(key)
  return (text) => {
    const mac = createHmac('sha256', secret)
    return (typeof text === 'string' ? mac.update(text, 'latin1') : mac.update(text)).digest('base64url')
  }
}
