import { Refusal } from '@warder/protocol'
import type { ServerMetadata } from '../read-server-metadata.ts'
import { type AssertionKey, makeClientAssertion } from './client-assertion.ts'

/** What requests to an authorization server go by: its metadata, of which most may be missing. */
export type TokenServer = Pick<ServerMetadata, 'issuer' | 'tokenEndpoint'> &
  Partial<
    Pick<
      ServerMetadata,
      | 'tokenEndpointAuthMethods'
      | 'tokenEndpointAuthSigningAlgs'
      | 'revocationEndpoint'
      | 'revocationEndpointAuthMethods'
      | 'deviceAuthorizationEndpoint'
      | 'dpopSigningAlgs'
    >
  >

/** Who asks: a registration, with the private key where the client has one. */
export interface TokenClient {
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** A `token_endpoint_auth_method`; default: what both sides can do, the strongest first. */
  readonly authMethod?: string | undefined
  readonly assertionKey?: AssertionKey | undefined
}

/** What client authentication adds to a request. */
export interface ClientAuthentication {
  readonly headers: Readonly<Record<string, string>>
  readonly fields: Readonly<Record<string, string>>
}

/**
 * Makes the client authentication of one request (RFC 6749 section 2.3.1, RFC 7523 section 2.2); an assertion is for one request
 * only, so each request makes its own. Throws `client.authentication` where the method needs what the client does not have, and
 * `client-key.unusable`.
 */
export async function authenticateClient(
  client: TokenClient,
  server: {
    readonly issuer: string
    /** Methods and algorithms that it lists for this endpoint, if it does. */
    readonly methods?: readonly string[] | undefined
    readonly algorithms?: readonly string[] | undefined
  },
  now: number,
): Promise<ClientAuthentication> {
  const method = chooseMethod(client, server.methods)
  const { clientId, clientSecret, assertionKey } = client
  if (method === 'none') return { headers: {}, fields: { client_id: clientId } }
  if (method === 'private_key_jwt' && assertionKey !== undefined) {
    const { issuer, algorithms: allowed } = server
    const assertion = await makeClientAssertion({ clientId, issuer, key: assertionKey, allowed, now })
    // Without client_id: it stands in the assertion (MCP CC-06).
    return { headers: {}, fields: { client_assertion_type: jwtBearer, client_assertion: assertion } }
  }
  if (clientSecret !== undefined && method === 'client_secret_post') {
    return { headers: {}, fields: { client_id: clientId, client_secret: clientSecret } }
  }
  if (clientSecret !== undefined && method === 'client_secret_basic') {
    const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`
    return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, fields: {} }
  }
  throw new Refusal('client.authentication', { detail: `nothing to authenticate with by ${method}` })
}

const jwtBearer = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined, or a colon in them would move the border. */
function formEncode(text: string): string {
  return new URLSearchParams({ v: text }).toString().slice(2)
}

/** The method that a client authenticates by, given those that a server lists, if it lists any. */
export function chooseMethod(
  client: Omit<TokenClient, 'clientId'>,
  listed: readonly string[] | undefined,
): string {
  if (client.authMethod !== undefined) return client.authMethod
  const { clientSecret, assertionKey } = client
  if (assertionKey !== undefined) return 'private_key_jwt'
  if (clientSecret === undefined) return 'none'
  // RFC 8414 section 2: a server that lists nothing takes client_secret_basic.
  const methods = listed ?? ['client_secret_basic']
  return !methods.includes('client_secret_basic') && methods.includes('client_secret_post')
    ? 'client_secret_post'
    : 'client_secret_basic'
}
