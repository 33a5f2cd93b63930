import { readBase64Url } from './base64.ts'
import { Refusal } from './refusals.ts'

declare const codeChallengeBrand: unique symbol

/** An S256 code challenge of the right form. */
export type CodeChallenge = string & { readonly [codeChallengeBrand]: true }

/**
 * The code challenge of an authorization request (RFC 7636 section 4.3): required, S256 said in so many words, and the
 * unpadded base64url text of 32 bytes. Throws `pkce.missing`, `pkce.method` or `pkce.malformed`.
 */
export function readCodeChallenge(challenge: string | undefined, method: string | undefined): CodeChallenge {
  if (challenge === undefined) throw new Refusal('pkce.missing')
  if (method !== 'S256') throw new Refusal('pkce.method')
  if (challenge.length !== 43 || readBase64Url(challenge) === undefined) throw new Refusal('pkce.malformed')
  return challenge as CodeChallenge
}

/**
 * The code verifier of a token request (RFC 7636 section 4.1): 43 to 128 unreserved characters. Throws `parameter.missing` or
 * `pkce.malformed`. Does not compare it with the challenge.
 */
export function readCodeVerifier(raw: string | undefined): string {
  if (raw === undefined) throw new Refusal('parameter.missing', { detail: 'code_verifier' })
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(raw)) throw new Refusal('pkce.malformed')
  return raw
}
