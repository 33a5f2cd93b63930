/** SHA-256 of a text, as text. */
export type Fingerprint = (text: string) => string | Promise<string>

/**
 * The runtime's SHA-256. Node's own function is several times faster than WebCrypto and needs no turn of the event loop, and
 * it is asked for without an import, so that the guard still loads where there is no `node:crypto`.
 */
export function makeFingerprint(): Fingerprint {
  const node = globalThis.process?.getBuiltinModule?.('node:crypto')
  // `hash` makes no object for the garbage collector; other runtimes do not all have it.
  if (node?.hash !== undefined) return (text) => node.hash('sha256', text, 'base64url')
  return async (text) => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  }
}
