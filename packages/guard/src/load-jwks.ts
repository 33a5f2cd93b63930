import { isJsonObject, ownValue, readStrictJson } from '@warder/protocol'
import { readBounded } from './read-chunks.ts'

/** What loading a key set needs from HTTP; `@warder/outbound` fits. Must not follow redirects. */
export type KeyFetch = (
  url: string,
  options: { readonly accept: string; readonly maxBytes: number; readonly timeoutMs: number },
) => Promise<{ readonly status: number; readonly body: Uint8Array }>

/** Where the keys of the issuer come from: the same process, or the issuer's `jwks_uri` (https, or http on loopback). */
export type KeySource =
  | { readonly jwks: () => Promise<{ readonly keys: readonly object[] }> }
  | { readonly jwksUri: string; readonly fetch?: KeyFetch }

/** Milliseconds that a key set may take, all in all. */
export const keyDeadline = 3_000

const maxBytes = 256 * 1024
const maxKeys = 100

/** The members of `keys` in the issuer's key set (RFC 7517 section 5). Throws when it does not come or is none. */
export async function loadJwks(source: KeySource): Promise<readonly unknown[]> {
  const document =
    'jwks' in source ? await source.jwks() : await loadRemote(source.jwksUri, source.fetch ?? webFetch)
  const keys = isJsonObject(document) ? ownValue(document, 'keys') : undefined
  if (!Array.isArray(keys) || keys.length > maxKeys) throw new Error('not a key set')
  return keys
}

async function loadRemote(url: string, fetch: KeyFetch): Promise<unknown> {
  const options = { accept: 'application/jwk-set+json, application/json', maxBytes, timeoutMs: keyDeadline }
  const answer = await fetch(url, options)
  if (answer.status !== 200) throw new Error(`status ${answer.status}`)
  if (answer.body.byteLength > maxBytes) throw new Error('too large')
  return readStrictJson(answer.body)
}

/** The runtime's own fetch, for an author who protects a server with a few lines and chose the URL herself. */
const webFetch: KeyFetch = async (url, options) => {
  // A redirect would let another host, or plain http, say which keys sign tokens.
  const init: RequestInit = {
    headers: { accept: options.accept },
    redirect: 'manual',
    signal: AbortSignal.timeout(options.timeoutMs),
  }
  const response = await fetch(url, init)
  if (response.status !== 200) {
    await response.body?.cancel()
    return { status: response.status, body: new Uint8Array() }
  }
  const body = await readBounded(response.body, options.maxBytes)
  if (body === undefined) throw new Error('too large')
  return { status: 200, body }
}
