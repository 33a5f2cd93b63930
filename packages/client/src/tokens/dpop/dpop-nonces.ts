/** Who gave a nonce: the same origin may be both, with nonces of their own (RFC 9449 sections 8 and 9). */
export type NonceSource = 'authorization-server' | 'resource'

/** The last nonce of each origin. */
export interface DpopNonces {
  get(source: NonceSource, url: string): string | undefined
  /** Takes the `DPoP-Nonce` of an answer, of any status. */
  learn(source: NonceSource, url: string, headers: Headers): void
}

const maxOrigins = 100

export function createDpopNonces(): DpopNonces {
  const nonces = new Map<string, string>()
  const place = (source: NonceSource, url: string): string => `${source} ${new URL(url).origin}`
  return {
    get: (source, url) => nonces.get(place(source, url)),
    learn(source, url, headers) {
      const nonce = headers.get('dpop-nonce')
      // RFC 9449 section 8.1; two headers of this name arrive joined by a comma and a space, and are no nonce.
      if (nonce === null || !/^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/.test(nonce)) return
      const at = place(source, url)
      if (!nonces.has(at) && nonces.size >= maxOrigins) nonces.clear()
      nonces.set(at, nonce)
    },
  }
}
