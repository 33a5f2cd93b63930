import type { ClientParts } from './client-parts.ts'
import { currentTokens } from './current-tokens.ts'
import { decideStepUp, type StepUpPolicy } from './decide-step-up.ts'
import { type Discovery, discover } from './discover.ts'
import type { ServerChallenge } from './read-challenge.ts'
import { type ServerEntry, serverName } from './records.ts'
import type { Session } from './session.ts'
import { signIn } from './sign-in.ts'
import { SignInRequired } from './sign-in-required.ts'
import { loadEntry, loadSignedIn, type SignedIn } from './signed-in.ts'
import { keepWanted, loadTries } from './step-up-tries.ts'
import { readBoundIssuer } from './stored-registrations.ts'
import { canSend } from './tokens/dpop/send-with-token.ts'

/** Tokens that take the place of others, and how they came. */
export interface Renewed extends SignedIn {
  readonly how: 'adopted' | 'refreshed' | 'signed-in'
}

/** As long as a person may take. */
const timeoutMs = 15 * 60_000

/**
 * One sign-in at a time for a server and an account, among all processes that share the store (Q17). `isEnough` takes a fresh look
 * after the wait: what somebody else has signed in to meanwhile is adopted.
 */
export async function withSignInLock(
  parts: ClientParts,
  isEnough: (held: SignedIn) => boolean,
  work: (held: SignedIn | undefined) => Promise<SignedIn>,
): Promise<Renewed> {
  const { store, server, profile, dpop } = parts
  return store.locked(
    `sign-in.${serverName({ server, profile })}`,
    async () => {
      const held = await loadSignedIn(parts)
      const isGood = held !== undefined && isEnough(held) && (await canSend(held.tokens, dpop))
      if (!isGood) return { ...(await work(held)), how: 'signed-in' }
      parts.trace({ step: 'token', outcome: 'chosen', why: 'somebody else has signed in meanwhile' })
      return { ...held, how: 'adopted' }
    },
    { timeoutMs },
  )
}

/**
 * Finds out who issues tokens for the server now. Pre-registered credentials go to the issuer that they belong to, or with which
 * they were used first, and to no other (CL-57, CL-59); of several issuers the one with credentials is preferred.
 * Where the user named the place of the metadata at the sign-in before, that place is asked again.
 */
export async function discoverAgain(
  parts: ClientParts,
  challenge: ServerChallenge | undefined,
  before: ServerEntry | undefined,
): Promise<Discovery> {
  const { server, outbound, trace, options, identity } = parts
  const issuer = await readBoundIssuer(identity, server, trace)
  const metadataUrl = options.metadataUrl ?? before?.metadataUrl
  const about = { server, challenge, outbound, metadataUrl, trace }
  const discovery = await discover({ ...about, issuer, preferredIssuer: before?.issuer })
  if (before !== undefined && before.issuer !== discovery.issuer) {
    const why =
      `the server now names another authorization server than ${before.issuer}: ` +
      'what was registered and issued there is not used here'
    trace({ step: 'server-metadata', outcome: 'chosen', url: discovery.issuer, why })
  }
  return discovery
}

/**
 * Tokens after a 401. If the server still names the same authorization server, a refresh comes first, once; else, and where that
 * brings nothing, a sign-in. Throws `SignInRequired` where nobody can sign in here.
 */
export async function renewTokens(
  parts: ClientParts,
  session: Session,
  of: {
    readonly challenge: ServerChallenge
    /** What the server refused; undefined: there was none. */
    readonly rejected: string | undefined
    readonly mayRefresh: boolean
    /** What a sign-in is counted for; undefined: nobody knows. */
    readonly operation?: string | undefined
  },
): Promise<Renewed> {
  const { challenge, rejected, mayRefresh, operation } = of
  const isNew = ({ tokens }: SignedIn): boolean =>
    tokens.accessToken !== rejected &&
    (tokens.expiresAt === undefined || tokens.expiresAt > parts.now() / 1000)
  const held = await loadSignedIn(parts)
  if (held !== undefined && isNew(held) && (await canSend(held.tokens, parts.dpop)))
    return { ...held, how: 'adopted' }
  const { way } = parts.options
  const canRefresh = mayRefresh && held?.tokens.refreshToken !== undefined
  if (way.kind === 'none' && !canRefresh)
    throw new SignInRequired({ server: parts.server, reason: way.reason })
  const before = held?.entry ?? (await loadEntry(parts))
  const discovery = await discoverAgain(parts, challenge, before)
  if (canRefresh && before?.issuer === discovery.issuer && before.resource === discovery.resource) {
    const refreshed = await currentTokens(parts, rejected)
    if (refreshed !== undefined && isNew(refreshed)) return { ...refreshed, how: 'refreshed' }
  }
  const { signal, attempts } = session
  return withSignInLock(parts, isNew, () =>
    session.braked(() => {
      if (operation !== undefined) attempts.count(operation)
      return signIn(parts, { discovery, before, signal })
    }),
  )
}

/**
 * Tokens after a 403 that asks for more scopes. Throws `step-up.denied` and `step-up.exhausted`: then the 403 is
 * the answer. Counted is what a person sees: each question here, else each authorization request, whether or
 * not it works.
 */
export async function stepUpTokens(
  parts: ClientParts,
  session: Session,
  of: {
    readonly challenge: ServerChallenge
    readonly used: SignedIn
    readonly operation: string
  },
): Promise<Renewed> {
  const { challenge, used, operation } = of
  const { signal, attempts } = session
  const challenged = challenge.scopes
  const isEnough = ({ tokens }: SignedIn): boolean =>
    tokens.accessToken !== used.tokens.accessToken &&
    challenged?.every((scope) => tokens.scopes?.includes(scope) === true) === true
  const { way } = parts.options
  const isAsked = parts.stepUp.mode === 'ask'
  const count = (): void => attempts.count(operation)
  return withSignInLock(parts, isEnough, async (held = used) => {
    const elsewhere = way.kind === 'none' ? await loadTries(parts, operation) : 0
    const scopes = await decideStepUp({
      policy: countQuestions(parts.stepUp, count),
      challenged,
      granted: held.tokens.scopes,
      before: [...new Set([...held.entry.scopes, ...(held.tokens.scopes ?? [])])],
      resource: held.entry.resource,
      operation,
      attempts: Math.max(attempts.of(operation), elsewhere),
    })
    parts.trace({ step: 'step-up', outcome: 'chosen', why: operation, data: { scopes } })
    if (way.kind === 'none') {
      await keepWanted(parts, operation)
      throw new SignInRequired({ server: parts.server, reason: way.reason, scopes })
    }
    const discovery = await discoverAgain(parts, challenge, held.entry)
    return session.braked(() => {
      if (!isAsked) count()
      return signIn(parts, { discovery, scopes, before: held.entry, signal })
    })
  })
}

function countQuestions(policy: StepUpPolicy, count: () => void): StepUpPolicy {
  const { ask } = policy
  if (ask === undefined) return policy
  return {
    ...policy,
    ask: async (wanted) => {
      count()
      return ask(wanted)
    },
  }
}
