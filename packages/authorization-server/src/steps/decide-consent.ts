import {
  hasAccess,
  impliedScopes,
  offeredScopes,
  type Policy,
  type ScopeRule,
  type ServerPolicy,
  type UserIdentity,
} from '@warder/policy'
import { redirectPlace } from '@warder/protocol'
import type { RememberedConsent } from '@warder/store'
import type { StoredRequest } from '../stored-request.ts'

/** What is to be done about a request of a signed-in user. */
export type ConsentDecision =
  /** The access rules offer this user and client nothing of what was asked for. */
  | { readonly outcome: 'not-allowed' }
  /** The user said yes to all of it before, and the answer goes to a proven place. */
  | { readonly outcome: 'remembered'; readonly offer: Offer }
  | { readonly outcome: 'ask'; readonly offer: Offer }

/** What the consent page offers: the part of the request that the access rules allow this user and client. */
export interface Offer {
  readonly scopes: readonly ScopeRule[]
  /** Asked for, but not offered. */
  readonly notOffered: readonly string[]
  /** The user said yes to it before, when its document described it otherwise (E23). */
  readonly clientChanged: boolean
  readonly earlier: ReadonlyMap<string, 'granted' | 'declined'>
}

/**
 * Decides whether the user has to be asked. What a requested scope implies is offered with it, so that a user can grant the
 * smaller part alone. Without a single scope in request and rules, access itself is what is granted.
 */
export function decideConsent(facts: {
  readonly policy: Policy
  readonly server: ServerPolicy
  readonly user: UserIdentity
  readonly asked: StoredRequest
  readonly remembered: readonly RememberedConsent[]
}): ConsentDecision {
  const { policy, server, user, asked, remembered } = facts
  const who = { user, client: { id: asked.client.id, class: asked.client.class } }
  const wanted = impliedScopes(server, asked.scopes)
  const scopes = offeredScopes(policy, server.name, who).filter(({ name }) => wanted.has(name))
  const allowed = asked.scopes.length === 0 ? hasAccess(policy, server.name, who) : scopes.length > 0
  if (!allowed) return { outcome: 'not-allowed' }

  const earlier = new Map(remembered.map(({ scope, decision }) => [scope, decision]))
  const names = scopes.map(({ name }) => name)
  const saidYes = names.length > 0 && names.every((name) => earlier.get(name) === 'granted')
  const clientChanged = remembered.some(
    ({ scope, decision, clientDigest }) =>
      names.includes(scope) && decision === 'granted' && clientDigest !== (asked.client.digest ?? ''),
  )
  const notOffered = asked.scopes.filter((name) => !names.includes(name))
  const silent = saidYes && !clientChanged && !asked.askAgain && isRememberable(asked)
  return { outcome: silent ? 'remembered' : 'ask', offer: { scopes, notOffered, clientChanged, earlier } }
}

/**
 * Whether a yes may be remembered: never for clients that nobody vouches for, and never where the answer goes to whatever
 * program on a computer listens for it. There, a silent yes would hand the grant to a stranger (MCP, localhost redirect risks).
 */
export function isRememberable(asked: StoredRequest): boolean {
  const vouched = asked.client.class === 'document' || asked.client.class === 'pre-registered'
  return vouched && redirectPlace(asked.redirectUri) === 'web'
}

/** What was chosen on the consent page: the basic scopes always, of the others those whose switch was on. */
export function readChoice(
  offer: Offer,
  switchedOn: readonly string[],
): { granted: string[]; declined: string[] } {
  const granted: string[] = []
  const declined: string[] = []
  for (const { name, basic } of offer.scopes)
    (basic || switchedOn.includes(name) ? granted : declined).push(name)
  return { granted, declined }
}
