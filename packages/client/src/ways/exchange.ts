import { Refusal } from '@warder/protocol'
import { askedFields, withoutRefresh } from './grant-fields.ts'
import type { GrantWay } from './grant-way.ts'
import { readSecret, type SecretSource } from './read-secret-source.ts'

/** One token of an exchange: where it is, and what it is (RFC 8693 section 3). */
export interface ExchangedToken {
  readonly token: SecretSource
  readonly type: 'access_token' | 'id_token' | 'refresh_token' | 'jwt' | 'saml2'
}

export interface ExchangeOptions {
  /** The authorization server that may see these tokens; the MCP server alone does not decide that. */
  readonly issuer: string
  /** Whose access it is. */
  readonly subject: ExchangedToken
  /** Who acts for the subject, if the token shall say so. */
  readonly actor?: ExchangedToken | undefined
  /** Logical name of the target, where the server wants one beside `resource`. */
  readonly audience?: string | undefined
}

/**
 * Exchanges a token that somebody has for one of the MCP server (RFC 8693). With the client's pre-registered authentication, if it
 * has one. Throws `registration.other-issuer` where the MCP server names another authorization server: nothing is sent to it.
 */
export function exchangeWay(options: ExchangeOptions): GrantWay {
  return {
    kind: 'grant',
    async obtain(context) {
      const { issuer } = context.discovery.metadata
      if (issuer !== options.issuer) {
        throw new Refusal('registration.other-issuer', { detail: `the server names ${issuer}` })
      }
      const fields = {
        grant_type: tokenExchange,
        requested_token_type: tokenType('access_token'),
        ...(await tokenFields('subject', options.subject)),
        ...(options.actor !== undefined && (await tokenFields('actor', options.actor))),
        ...(options.audience !== undefined && { audience: options.audience }),
        ...askedFields(context),
      }
      return withoutRefresh(await context.tokenRequest(fields))
    },
  }
}

export const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** The identifier of a kind of token (RFC 8693 section 3, ID-JAG section 3). */
export function tokenType(name: ExchangedToken['type'] | 'id-jag'): string {
  return `urn:ietf:params:oauth:token-type:${name}`
}

/** The pair of fields for a token and its type. */
export async function tokenFields(
  role: 'subject' | 'actor',
  { token, type }: ExchangedToken,
): Promise<Readonly<Record<string, string>>> {
  return { [`${role}_token`]: await readSecret(token), [`${role}_token_type`]: tokenType(type) }
}
