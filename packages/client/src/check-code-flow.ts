import { Refusal } from '@warder/protocol'
import type { ServerMetadata } from './read-server-metadata.ts'
import type { Trace } from './trace.ts'

declare const codeFlowBrand: unique symbol

/** An authorization server at which a sign-in by a browser may begin. */
export type CodeFlowServer = ServerMetadata & {
  readonly authorizationEndpoint: string
  readonly [codeFlowBrand]: true
}

/** Lets a sign-in begin at an authorization server that does not say that it supports PKCE. */
export type AllowMissingPkce = (issuer: string) => boolean

/**
 * That an authorization server has an authorization endpoint and says that it supports PKCE with S256 (CL-60, CL-61, Q07). Throws
 * `server-metadata.invalid` and `server-metadata.pkce`. `dangerouslyAllowMissingPkce` lets one pass that says nothing at all, not
 * one that lists other methods; the challenge is sent in any case, and the trace says that nobody may be checking it.
 */
export function checkCodeFlow(
  metadata: ServerMetadata,
  trace: Trace,
  dangerouslyAllowMissingPkce: AllowMissingPkce = () => false,
): CodeFlowServer {
  const { issuer, codeChallengeMethods } = metadata
  if (metadata.authorizationEndpoint === undefined) {
    throw new Refusal('server-metadata.invalid', { detail: 'authorization_endpoint' })
  }
  if (codeChallengeMethods?.includes('S256')) return metadata as CodeFlowServer
  if (codeChallengeMethods === undefined && dangerouslyAllowMissingPkce(issuer)) {
    const why =
      'DANGER: it does not say that it supports PKCE, and was allowed to; a stolen code might be of use to a thief'
    trace({ step: 'authorize', outcome: 'chosen', url: issuer, why, refusal: 'server-metadata.pkce' })
    return metadata as CodeFlowServer
  }
  const detail = codeChallengeMethods === undefined ? 'no code_challenge_methods_supported' : 'no S256'
  trace({ step: 'authorize', outcome: 'refused', url: issuer, why: detail, refusal: 'server-metadata.pkce' })
  throw new Refusal('server-metadata.pkce', { detail: `${issuer}: ${detail}` })
}
