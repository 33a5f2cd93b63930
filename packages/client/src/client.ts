import type { UserFetch } from '@warder/outbound'
import { makeAuthorizedFetch } from './authorized-fetch.ts'
import { beginSignIn, completeSignIn, type PendingSignIn } from './browser-sign-in.ts'
import type { ClientOptions } from './client-options.ts'
import { type ClientParts, resolveParts } from './client-parts.ts'
import { checkCeiling } from './decide-step-up.ts'
import { probeServer } from './probe-server.ts'
import type { TokenSet } from './records.ts'
import { discoverAgain, renewTokens, withSignInLock } from './renew-tokens.ts'
import { makeSession } from './session.ts'
import { signIn } from './sign-in.ts'
import { type SignedOut, signOut } from './sign-out.ts'
import { loadEntry, loadSignedIn, type SignedIn } from './signed-in.ts'
import { countTries, forgetTries } from './step-up-tries.ts'
import type { BrowserWay } from './ways/sign-in-way.ts'

/** A client of one protected MCP server, for one account. */
export interface Client {
  /**
   * Fetches from the server and below, signed in; see `makeAuthorizedFetch` for what it throws. It may take as long as a person
   * takes to sign in.
   */
  readonly fetch: UserFetch
  /** Signs in now, whatever is stored; what is stored stays until this has worked. */
  signIn(options?: SignInOptions): Promise<SignInStatus>
  /** Forgets the tokens in any case, and revokes them where the server can. The registration stays for the next time. */
  signOut(): Promise<SignedOut>
  /** What is stored, without asking anybody. */
  status(): Promise<SignInStatus>
  /** Tokens that are good now, refreshed when due; undefined when only a sign-in helps. */
  token(): Promise<TokenSet | undefined>
  /**
   * What `fetch` does after a 401, for whoever sends the requests himself: tokens other than the `rejected` access token, adopted
   * from another process, refreshed, or by a sign-in. Throws as `fetch` does.
   */
  renew(options?: { readonly rejected?: string | undefined }): Promise<TokenSet>
  /** Begins a sign-in that `completeSignIn` finishes, perhaps in another process; `scopes` as `SignInRequired` names them. */
  beginSignIn(
    way: Pick<BrowserWay, 'redirectUris'>,
    options?: Pick<SignInOptions, 'scopes'>,
  ): Promise<{ readonly url: string; readonly pending: PendingSignIn }>
  completeSignIn(pending: PendingSignIn, callback: string): Promise<SignInStatus>
  /** Ends a sign-in that is under way: whoever waits for it gets an error. */
  close(): void
}

export interface SignInOptions {
  /** Asked for instead of what the server says or what is pinned. */
  readonly scopes?: readonly string[] | undefined
  /** Those of them that a server wants, not the user: `step-up.denied` where one is beyond the ceiling. */
  readonly wanted?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** Who is signed in where. Times are seconds since 1970. */
export interface SignInStatus {
  readonly server: string
  readonly profile: string
  readonly isSignedIn: boolean
  readonly issuer?: string
  readonly resource?: string
  readonly clientId?: string
  readonly scopes?: readonly string[] | undefined
  readonly expiresAt?: number | undefined
  readonly canRefresh?: boolean
  readonly isBound?: boolean
}

/**
 * Composes a client. Throws `server.url` and `parameter.repeated` for options that cannot be. Nothing is sent, and nothing is
 * read from the store, before a method is called.
 */
export function createClient(options: ClientOptions): Client {
  return composeClient(options)
}

/** `holds: false`: with each request the store is asked again; see `makeSession`. */
export function composeClient(options: ClientOptions, about: { readonly holds?: boolean } = {}): Client {
  const parts = resolveParts(options)
  const ended = new AbortController()
  const session = makeSession(parts, ended.signal, about)

  return {
    fetch: makeAuthorizedFetch(parts, session),
    async signIn({ scopes, wanted = [], signal } = {}) {
      checkCeiling(parts.stepUp, wanted)
      const either = signal === undefined ? ended.signal : AbortSignal.any([signal, ended.signal])
      const challenge = await probeServer(parts, either)
      const signedIn = await withSignInLock(
        parts,
        () => false,
        async (held) => {
          const before = held?.entry ?? (await loadEntry(parts))
          const discovery = await discoverAgain(parts, challenge, before)
          return signIn(parts, { discovery, scopes, before, signal: either })
        },
      )
      session.startAfresh(signedIn)
      await forgetTries(parts)
      return statusOf(parts, signedIn)
    },
    signOut: () => session.end(() => signOut(parts)),
    status: async () => statusOf(parts, await loadSignedIn(parts)),
    token: async () => (await session.current())?.tokens,
    async renew({ rejected } = {}) {
      const renewed = await session.join(`renew true ${rejected ?? ''}`, async () => {
        const challenge = (await probeServer(parts, ended.signal)) ?? { schemes: [] }
        return renewTokens(parts, session, { challenge, rejected, mayRefresh: true })
      })
      return renewed.tokens
    },
    async beginSignIn(way, { scopes } = {}) {
      const before = await loadEntry(parts)
      const challenge = await probeServer(parts, ended.signal)
      const discovery = await discoverAgain(parts, challenge, before)
      const request = { discovery, scopes, before, signal: ended.signal }
      const { url, pending } = await beginSignIn(parts, way, request)
      await countTries(parts)
      return { url, pending }
    },
    async completeSignIn(pending, callback) {
      const signedIn = await completeSignIn(parts, pending, callback)
      session.startAfresh(signedIn)
      return statusOf(parts, signedIn)
    },
    close: () => ended.abort(new Error('the client was closed')),
  }
}

function statusOf({ server, profile }: ClientParts, signedIn: SignedIn | undefined): SignInStatus {
  if (signedIn === undefined) return { server, profile, isSignedIn: false }
  const { issuer, resource, clientId } = signedIn.entry
  const { scopes, expiresAt, refreshToken, tokenType } = signedIn.tokens
  const about = { issuer, resource, clientId, scopes, expiresAt }
  return {
    ...{ server, profile, isSignedIn: true, ...about },
    canRefresh: refreshToken !== undefined,
    isBound: tokenType === 'DPoP',
  }
}
