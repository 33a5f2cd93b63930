import type { ClientClass } from '@warder/policy'

/**
 * What the pages show, as plain data. Pages escape, isolate and bound every string themselves, so views carry raw text.
 *
 * Form fields that come back: `form_token` always; login `email`, `password`; owner `email`, `password`, `password_again`;
 * consent `decision` (`allow` or `deny`) and `scope` once for each switch that is on (basic scopes are not sent), `server` once
 * for each other server that is switched on; account `grant`, `decision` (`save` or `revoke`) and `scope`, or `session`.
 */

/** The application that asks, as far as its identity is proven (design decision 7). */
export interface ClientView {
  /** `client_name`, or empty where the application gave none. */
  readonly name: string
  readonly class: ClientClass
  /** The client id; shown for documents, where it is the URL of the document. */
  readonly id: string
  /** ASCII host (and port) of the client id metadata document. Proof only for class `document`; for `local` it is a claim. */
  readonly documentHost?: string
}

/** Where the answer goes. */
export interface RedirectView {
  /** `loopback`: a program on this computer. `scheme`: whatever program handles the scheme. `web`: an https host. */
  readonly kind: 'web' | 'loopback' | 'scheme'
  /** ASCII host with port for `web` and `loopback`; the scheme without colon for `scheme`. */
  readonly host: string
  /** The whole redirect URI of this request. */
  readonly uri: string
}

/** The MCP server that is asked for. */
export interface ServerView {
  readonly title: string
  /** The resource URL. */
  readonly resource: string
}

/** One tool that a scope opens. */
export interface ToolView {
  readonly name: string
  /** Deletes, runs commands, reads the environment, fetches URLs… */
  readonly risky: boolean
}

/** One scope that the matrix offers this user and client. */
export interface ScopeView {
  readonly name: string
  readonly title: string
  readonly description?: string
  /** Always included: listed without a switch. */
  readonly basic: boolean
  /** Switched off until the user switches it on. */
  readonly highRisk: boolean
  readonly tools: readonly ToolView[]
  /** Titles of the scopes that this one implies. */
  readonly includes: readonly string[]
  /** What the user decided before for this client and resource; absent: never asked. Any `granted` makes the page a wider consent. */
  readonly earlier?: 'granted' | 'declined'
}

/** Why a form came back. */
export interface FormError {
  /** One or two sentences, from the refusal catalogue. */
  readonly says: string
  /** The fields to mark as invalid; empty for throttling and the like. */
  readonly fields: readonly ('email' | 'password')[]
}

/** The sign-in page. */
export interface LoginView {
  /** Path that the form posts to. */
  readonly action: string
  readonly formToken: string
  /** Who asks, and for what; absent on the way to the account page. */
  readonly request?: { readonly client: ClientView; readonly server: ServerView }
  /** What was entered before, after an error. Never the password. */
  readonly email?: string
  readonly error?: FormError
}

/** The consent page. */
export interface ConsentView {
  /** Path that the form posts to. */
  readonly action: string
  readonly formToken: string
  readonly client: ClientView
  readonly redirect: RedirectView
  readonly server: ServerView
  /** E-mail address of the user who is signed in. */
  readonly signedInAs: string
  readonly scopes: readonly ScopeView[]
  /** Names of scopes that were asked for and that the access rules do not offer. */
  readonly notOffered: readonly string[]
  /** The application describes itself otherwise than when the user allowed it. */
  readonly clientChanged?: boolean
  /** Other servers that this application may be allowed at once, so that it need not ask again. */
  readonly otherServers?: readonly OtherServerView[]
  /** Lifetime of an access token. */
  readonly renewMinutes: number
  /** Days without use after which a refresh token ends. */
  readonly idleDays: number
  /** Names of the switches that were on when the form came back with an error; absent: the defaults. */
  readonly chosen?: readonly string[]
  /** One or two sentences, from the refusal catalogue. */
  readonly error?: string
}

/** Another server on the consent page: its basic scopes, and nothing else, stand behind one switch. */
export interface OtherServerView extends ServerView {
  readonly scopes: readonly { readonly title: string }[]
}

/** One grant on the account page. */
export interface GrantView {
  readonly id: string
  readonly client: ClientView
  readonly server: ServerView
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly lastRefreshed?: number
  /** All that the access rules offer this user and client; `basic` ones are part of the grant and have no switch. */
  readonly scopes: readonly ScopeView[]
  /** Names of the scopes that the grant has. */
  readonly on: readonly string[]
  /** Names of scopes that the grant has and the access rules do not allow any more. */
  readonly gone: readonly string[]
}

/** One sign-in of a browser. */
export interface SessionView {
  readonly id: string
  /** Milliseconds since the epoch. */
  readonly signedInAt: number
  readonly expiresAt: number
  /** The one that looks at this page. */
  readonly current: boolean
}

/** What the form before the page did. */
export type AccountDone = 'saved' | 'revoked' | 'ended' | 'gone'

/** The account page. */
export interface AccountView {
  /** Path of this visit; forms post to `grant`, `session` and `sign-out` below it. */
  readonly path: string
  readonly formToken: string
  readonly signedInAs: string
  readonly grants: readonly GrantView[]
  readonly sessions: readonly SessionView[]
  readonly done?: AccountDone
}

/** The first-run page, where the owner sets e-mail and password. */
export interface OwnerView {
  /** Path that the form posts to. */
  readonly action: string
  readonly formToken: string
  /** The MCP servers that the owner will decide about. */
  readonly servers: readonly ServerView[]
  /** Least number of characters of the password. */
  readonly passwordLength: number
  /** What was entered before, after an error. Never the password. */
  readonly email?: string
  readonly error?: FormError
}

/** A refusal in the browser: never a link, never a redirect. */
export interface ErrorView {
  /** A few words, such as `This request cannot be answered`. */
  readonly title: string
  /** `refusals[reason].says`. */
  readonly says: string
  /** A URL that explains the refusal, such as the document that could not be fetched; shown as text. */
  readonly url?: string
  /** Host of the application that would have got the answer, or its scheme; it got nothing. */
  readonly withheldFrom?: string
  /** What the person can do now. */
  readonly next: string
  /** Finds the entry in the operator's log. */
  readonly reference: string
}

/** The end of something that has no application to go back to. */
export interface DoneView {
  readonly title: string
  readonly says: string
  /** What the person can do now. */
  readonly next: string
}
