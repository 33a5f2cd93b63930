import { Refusal } from '@warder/protocol'
import type { ServerMetadata } from './read-server-metadata.ts'
import type { Registration } from './records.ts'
import { chooseMethod } from './tokens/authenticate-client.ts'
import type { AssertionKey } from './tokens/client-assertion.ts'

/** Credentials that the user got from an authorization server (CL-52). */
export interface PreRegistered {
  /** Where they belong; absent: to the one with which they are used first. */
  readonly issuer?: string | undefined
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** Authenticates with a key instead of a secret. */
  readonly assertionKey?: AssertionKey | undefined
  /** A `token_endpoint_auth_method`; default: what the server lists. */
  readonly authMethod?: string | undefined
}

/** A registration as requests to the token endpoint use it: a key never gets into a record. */
export type UsableRegistration = Registration & { readonly assertionKey?: AssertionKey | undefined }

/**
 * Pre-registered credentials as a registration at this authorization server. Throws `registration.other-issuer` where they belong
 * to another one (CL-57, CL-59): they are not sent there even once.
 */
export function usePreRegistered(
  given: PreRegistered,
  metadata: ServerMetadata,
  redirectUris: readonly string[],
): UsableRegistration {
  if (given.issuer !== undefined && given.issuer !== metadata.issuer) {
    throw new Refusal('registration.other-issuer', { detail: `they belong to ${given.issuer}` })
  }
  const { clientId, clientSecret, assertionKey } = given
  return {
    issuer: metadata.issuer,
    clientId,
    clientSecret,
    assertionKey,
    authMethod: chooseMethod(given, metadata.tokenEndpointAuthMethods),
    redirectUris,
    how: 'pre-registered',
    registeredAt: 0,
  }
}
