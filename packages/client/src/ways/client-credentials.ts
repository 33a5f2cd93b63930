import { Refusal } from '@warder/protocol'
import { askedFields, withoutRefresh } from './grant-fields.ts'
import type { GrantWay } from './grant-way.ts'

/**
 * The client asks for itself (RFC 6749 section 4.4, MCP OAuth client credentials), with the pre-registered secret or private key of
 * the client's options (CC-02, CC-03). Throws `client.authentication` where there is neither.
 */
export function clientCredentialsWay(): GrantWay {
  return {
    kind: 'grant',
    async obtain(context) {
      const { registration } = context
      if (registration?.clientSecret === undefined && registration?.assertionKey === undefined) {
        throw new Refusal('client.authentication', {
          detail: 'client credentials are a secret or a private key',
        })
      }
      const fields = { grant_type: 'client_credentials', ...askedFields(context) }
      return withoutRefresh(await context.tokenRequest(fields))
    },
  }
}
