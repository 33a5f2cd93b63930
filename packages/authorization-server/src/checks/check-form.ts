import { Refusal } from '@warder/protocol'
import type { WebRequest } from '../message.ts'
import type { Issuer } from '../options.ts'
import { isSecret } from '../tokens/secret.ts'

/**
 * A form must come from one of our own pages: `Origin` is the issuer's origin, or is absent and `Sec-Fetch-Site` says
 * same-origin. `null`, every other origin and silence throw `form.origin`.
 */
export function checkFormOrigin(request: WebRequest, issuer: Issuer): void {
  const origin = request.headers.get('origin')
  const sameOrigin =
    origin === null ? request.headers.get('sec-fetch-site') === 'same-origin' : origin === issuer.origin
  if (!sameOrigin) throw new Refusal('form.origin')
}

/** The form must carry the token of this transaction's page, else `form.token`. Compared in constant time. */
export function checkFormToken(token: string | undefined, formHash: string): void {
  if (token === undefined || !isSecret(token, formHash)) throw new Refusal('form.token')
}
