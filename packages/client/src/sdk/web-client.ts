import type { UserFetch } from '@warder/outbound'
import { isLoopbackRedirect, Refusal } from '@warder/protocol'
import { type Client, composeClient, type SignInOptions, type SignInStatus } from '../client.ts'
import type { ClientOptions } from '../client-options.ts'
import type { SignedOut } from '../sign-out.ts'
import { keepPending, takePending } from './pending-sign-ins.ts'
import { storeOfUser } from './store-of-user.ts'

export interface WebClientOptions extends Omit<ClientOptions, 'way' | 'profile'> {
  /** Where the authorization server sends the users back: an https URL of the application (http on loopback for development). */
  readonly redirectUri: string
}

/**
 * One MCP server, for the many users of a web application. `userId` is whom the application's own session says, never what a
 * request claims: it is what keeps users apart.
 */
export interface WebClient {
  /**
   * Begins a sign-in; the application redirects this user's browser to the URL. After a `SignInRequired` with `scopes`, give it those,
   * kept in the application's own session and not in a URL; else the sign-in does not ask for what was missing.
   */
  start(userId: string, options?: Pick<SignInOptions, 'scopes'>): Promise<string>
  /**
   * Ends the sign-in, with the whole URL to which the browser came back, query included. Only for the user who began it, once, and
   * in time; anything else throws `callback.state`, so that nobody can be made to finish another's sign-in.
   */
  finish(userId: string, callbackUrl: string): Promise<SignInStatus>
  /**
   * Fetches from the server as this user; throws `SignInRequired` where the user has to sign in (again), with `scopes` where that is
   * for want of these. After three sign-ins for one operation within an hour, the server's 403 is the answer.
   */
  fetch(userId: string): UserFetch
  /** The same client that `fetch` uses, for the SDKs. */
  clientOf(userId: string): Client
  status(userId: string): Promise<SignInStatus>
  /** From then on no process that shares the store sends the user's tokens. */
  signOut(userId: string): Promise<SignedOut>
}

/** How long a user may take to sign in, in milliseconds. */
const signInMs = 10 * 60_000

/** Their state is in the store, but for what is under way; clients of users who come seldom are made anew. */
const maxClients = 10_000

/**
 * A client for a web application with many users. Each user's tokens are in a part of the store of their own; the application's
 * registration is one for all. Throws `redirect.unregistered` for a redirect URI that is no https URL and not on loopback.
 */
export function createWebClient(options: WebClientOptions): WebClient {
  const { redirectUri, store, now = Date.now, ...rest } = options
  checkRedirectUri(redirectUri)
  const clients = new Map<string, Client>()

  const clientOf = (userId: string): Client => {
    const known = clients.get(userId)
    if (known !== undefined) return known
    const [oldest] = clients.keys()
    if (oldest !== undefined && clients.size >= maxClients) clients.delete(oldest)
    const way = { kind: 'none', reason: 'this user has to sign in' } as const
    // The user may sign out in another process.
    const client = composeClient({ ...rest, now, way, store: storeOfUser(store, userId) }, { holds: false })
    clients.set(userId, client)
    return client
  }

  return {
    clientOf,
    async start(userId, options) {
      const begun = await clientOf(userId).beginSignIn({ redirectUris: async () => [redirectUri] }, options)
      const times = { now: now(), endsAt: now() + signInMs }
      await keepPending(storeOfUser(store, userId), begun.pending, times)
      return begun.url
    },
    async finish(userId, callbackUrl) {
      const state = readState(callbackUrl)
      const pending = state && (await takePending(storeOfUser(store, userId), state, now()))
      if (!pending) throw new Refusal('callback.state')
      return clientOf(userId).completeSignIn(pending, callbackUrl)
    },
    fetch: (userId) => clientOf(userId).fetch,
    status: (userId) => clientOf(userId).status(),
    signOut: (userId) => clientOf(userId).signOut(),
  }
}

/** Only to find the record; the answer as a whole is proven afterwards. */
function readState(callbackUrl: string): string | undefined {
  const states = URL.canParse(callbackUrl) ? new URL(callbackUrl).searchParams.getAll('state') : []
  return states.length === 1 ? states[0] : undefined
}

function checkRedirectUri(redirectUri: string): void {
  const isPlain = /^https:\/\/[^/?#@\\]+\/[^#\\]*$/.test(redirectUri) && URL.canParse(redirectUri)
  if (!isPlain && !isLoopbackRedirect(redirectUri)) throw new Refusal('redirect.unregistered')
}
