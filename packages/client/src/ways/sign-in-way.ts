import type { GrantWay } from './grant-way.ts'

/** How a user, or nobody at all, says yes to a sign-in. */
export type SignInWay = BrowserWay | GrantWay | NoWay

/** A person says yes at the authorization server, and a browser brings the answer back. */
export interface BrowserWay {
  readonly kind: 'browser'
  /**
   * Where answers can arrive, the preferred one first; opens what is needed to receive them. `registered` are those that the
   * authorization server knows from an earlier sign-in: a way that can choose its port takes the same one again if it is free,
   * since many servers do not let the port differ.
   */
  redirectUris(registered?: readonly string[]): Promise<readonly string[]>
  /**
   * Lets the person sign in, and answers the whole callback URL. Its `state` is that of the request; nothing else in it is proven,
   * least of all who sent it, so nothing of it may be shown. Throws `sign-in.url`, `sign-in.timeout`, or the reason of the signal.
   */
  authorize(request: AuthorizeRequest): Promise<string>
  /** Ends listening, unless another sign-in waits for its answer; `redirectUris` may open it again. */
  close(): Promise<void>
}

/** What a person is asked to agree to. */
export interface AuthorizeRequest {
  /** The whole authorization URL: https, or http on this computer (MCP CL-69). */
  readonly url: string
  /** The `state` inside it; an answer with another one is somebody else's. */
  readonly state: string
  /** One of those that `redirectUris` answered. */
  readonly redirectUri: string
  readonly signal: AbortSignal
}

/** Nobody can sign in here: whoever needs a sign-in gets `SignInRequired`. */
export interface NoWay {
  readonly kind: 'none'
  /** Why, in plain words. */
  readonly reason: string
}
