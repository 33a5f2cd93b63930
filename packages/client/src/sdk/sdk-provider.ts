import { formatScope, Refusal } from '@warder/protocol'
import type { TokenSet } from '../records.ts'
import { bearerTokens, type SdkClient } from './bearer-tokens.ts'

/** An `OAuthClientProvider` of `@modelcontextprotocol/sdk` 1 and `@modelcontextprotocol/client` 2. */
export interface SdkProvider {
  readonly redirectUrl: string
  readonly clientMetadata: { redirect_uris: string[] }
  clientInformation(): { client_id: string; issuer: string }
  /** Without a refresh token: the SDK never refreshes by itself. */
  tokens(): Promise<{ access_token: string; token_type: string; scope?: string; issuer: string }>
  redirectToAuthorization(authorizationUrl: URL): Promise<void>
  discoveryState(): {
    authorizationServerUrl: string
    authorizationServerMetadata: {
      issuer: string
      authorization_endpoint: string
      token_endpoint: string
      response_types_supported: string[]
      code_challenge_methods_supported: string[]
    }
    resourceMetadata: { resource: string }
  }
  validateResourceURL(): Promise<undefined>
  saveClientInformation(): void
  saveTokens(): void
  saveCodeVerifier(): void
  codeVerifier(): string
}

export interface SdkProviderOptions {
  /**
   * Whether a server that asks for more scopes gets a sign-in that asks for them, too. Default false: the SDK does not say for
   * which operation, so the client's own policy cannot decide; `sdkFetch` lets it. Its ceiling holds all the same.
   */
  readonly mayWiden?: boolean | undefined
}

/** A name that resolves nowhere (RFC 6761): whatever the SDK would send there by itself goes to nobody. */
const nowhere = 'https://warder.invalid'
const asked = (url: URL): readonly string[] => url.searchParams.get('scope')?.split(' ') ?? []

/**
 * The client as an `OAuthClientProvider`, for hosts that take nothing else. It signs in before the first request, so that the SDK
 * finds a token; the SDK's own OAuth code never speaks to anybody, since what it would discover is answered here, and leads
 * nowhere.
 *
 * After a 401 the client refreshes or signs in and the SDK then throws its `UnauthorizedError`, as it does after each redirect: the
 * host sends the request again (and never calls `finishAuth`). `sdkFetch`, and in version 2 `sdkAuthProvider`, need no second call.
 *
 * Tokens that are bound to a key throw `client-key.unusable`: they work with `sdkFetch` only.
 */
export function sdkProvider(client: SdkClient, options: SdkProviderOptions = {}): SdkProvider {
  let given: TokenSet | undefined
  return {
    redirectUrl: `${nowhere}/callback`,
    clientMetadata: { redirect_uris: [`${nowhere}/callback`] },
    clientInformation: () => ({ client_id: nowhere, issuer: nowhere }),
    async tokens() {
      given = await bearerTokens(client)
      const scope = given.scopes && formatScope(given.scopes)
      return {
        access_token: given.accessToken,
        token_type: 'Bearer',
        issuer: nowhere,
        ...(scope !== undefined && scope !== '' && { scope }),
      }
    },
    async redirectToAuthorization(url) {
      const known = [...(given?.scopes ?? []), ...(given?.asked ?? [])]
      const wanted = asked(url).filter((scope) => !known.includes(scope))
      const isWider = given !== undefined && wanted.length > 0
      if (isWider && options.mayWiden !== true) throw new Refusal('step-up.denied', { scopes: asked(url) })
      // CL-34: the union, so that nothing that was granted before is lost.
      if (isWider) await client.signIn({ scopes: [...new Set([...known, ...wanted])], wanted })
      else await client.renew({ rejected: given?.accessToken })
    },
    discoveryState: () => ({
      authorizationServerUrl: nowhere,
      authorizationServerMetadata: {
        issuer: nowhere,
        authorization_endpoint: `${nowhere}/authorize`,
        token_endpoint: `${nowhere}/token`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
      },
      resourceMetadata: { resource: nowhere },
    }),
    validateResourceURL: async () => undefined,
    saveClientInformation: () => {},
    saveTokens: () => {},
    saveCodeVerifier: () => {},
    codeVerifier() {
      throw new Error('Warder has signed in already: send the request again instead of calling finishAuth')
    },
  }
}
