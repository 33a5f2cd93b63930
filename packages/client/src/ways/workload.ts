import { Refusal } from '@warder/protocol'
import { readJwtClaims } from '../read-jwt-claims.ts'
import { askedFields, withoutRefresh } from './grant-fields.ts'
import type { GrantContext, GrantWay } from './grant-way.ts'
import { readSecret, type SecretSource } from './read-secret-source.ts'

export interface WorkloadOptions {
  /** The JWT that the platform gives this workload: a projected file, a variable, or a call. */
  readonly token: SecretSource
  /**
   * The authorization server that the JWT is meant for. Without it the JWT itself must name the server in `aud`: which server asks
   * for it is the MCP server's choice, and a JWT in the wrong hands could be used elsewhere.
   */
  readonly issuer?: string | undefined
}

/**
 * The token of a workload as an assertion (RFC 7523 section 2.1, MCP workload identity federation): no client id, no client
 * authentication (WI-01), and exactly one request; a server that says no is not asked again, by this grant or another.
 *
 * Throws `workload-token.unusable` for what is no JWT, or one that is not for this authorization server. Does not verify it.
 */
export function workloadWay(options: WorkloadOptions): GrantWay {
  return {
    kind: 'grant',
    async obtain(context) {
      const assertion = await readSecret(options.token)
      checkMeantFor(assertion, options.issuer, context)
      const fields = { grant_type: jwtBearer, assertion, ...askedFields(context) }
      return withoutRefresh(await context.tokenRequest(fields, { authenticate: false }))
    },
  }
}

export const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

function checkMeantFor(assertion: string, issuer: string | undefined, { discovery }: GrantContext): void {
  const audiences = readAudiences(assertion)
  const { metadata } = discovery
  // A trailing slash at the end of an issuer is all that platforms differ in; the endpoint is what the draft says (WI-02).
  const fitting = [metadata.issuer, `${metadata.issuer}/`, metadata.tokenEndpoint]
  const isMeant =
    issuer === undefined
      ? audiences.some((audience) => fitting.includes(audience))
      : issuer === metadata.issuer
  if (isMeant) return
  throw new Refusal('workload-token.unusable', { detail: `it is not meant for ${metadata.issuer}` })
}

function readAudiences(assertion: string): readonly string[] {
  const claims = readJwtClaims(assertion)
  if (claims === undefined) throw new Refusal('workload-token.unusable', { detail: 'no JWT' })
  return [claims['aud'] ?? []].flat().filter((one) => typeof one === 'string')
}
