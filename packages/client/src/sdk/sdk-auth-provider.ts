import { bearerTokens, type SdkClient } from './bearer-tokens.ts'

/** The `AuthProvider` of `@modelcontextprotocol/client` 2. */
export interface SdkAuthProvider {
  token(): Promise<string>
  onUnauthorized(context: { readonly response: Response }): Promise<void>
}

/**
 * The client as an `AuthProvider` of `@modelcontextprotocol/client` 2 (option `authProvider` of its transports): signs in before the
 * first request, refreshes before a token ends, and after a 401 once more. A 403 that asks for more scopes is thrown by the
 * transport (`InsufficientScopeError`); `sdkFetch` widens the access by policy instead.
 *
 * Tokens that are bound to a key throw `client-key.unusable`: they work with `sdkFetch` only.
 */
export function sdkAuthProvider(client: Pick<SdkClient, 'renew' | 'token'>): SdkAuthProvider {
  let given: string | undefined
  return {
    async token() {
      const { accessToken } = await bearerTokens(client)
      given = accessToken
      return accessToken
    },
    async onUnauthorized() {
      await client.renew({ rejected: given })
    },
  }
}
