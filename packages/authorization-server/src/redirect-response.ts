import type { RedirectUri, Refusal } from '@warder/protocol'
import type { Answer } from './message.ts'
import { plainDescription } from './oauth-error-response.ts'
import type { Issuer } from './options.ts'
import { seeOther } from './page-response.ts'

/** Where an authorization response goes, all of it proven or to be handed back unchanged. */
export interface ResponseTarget {
  readonly redirectUri: RedirectUri
  readonly state: string | undefined
}

/** Sends the browser to the client with the response parameters, `state` unchanged, and `iss` (RFC 9207 section 2). */
export function redirectResponse(
  target: ResponseTarget,
  issuer: Issuer,
  parameters: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const query = new URLSearchParams(parameters)
  if (target.state !== undefined) query.set('state', target.state)
  query.set('iss', issuer.url)
  // Appended to the raw string: the client gets back exactly the URI that it registered.
  return seeOther(`${target.redirectUri}${target.redirectUri.includes('?') ? '&' : '?'}${query}`, headers)
}

/** Sends the browser to the client with an error (RFC 6749 section 4.1.2.1). */
export function redirectRefusal(
  refusal: Refusal,
  target: ResponseTarget,
  issuer: Issuer,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  const { error, says } = refusal.rule
  return redirectResponse(target, issuer, { error, error_description: plainDescription(says) }, headers)
}
