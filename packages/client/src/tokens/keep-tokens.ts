import { readTokens, type TokenSet, writeTokens } from '../records.ts'
import type { CredentialStore } from '../storage/credential-store.ts'
import { silent, type Trace } from '../trace.ts'
import { TokenEndpointError } from './token-endpoint-error.ts'

export interface TokenUse {
  readonly store: CredentialStore
  /** By `tokenName`. */
  readonly name: string
  /**
   * Asks the authorization server, once. `TokenEndpointError` says what came of it. It runs in a lock that all processes of the
   * user wait for, so it must end by itself, well within a minute.
   */
  readonly refresh: (tokens: TokenSet) => Promise<TokenSet>
  /** Whether tokens are of any use here. Those that are not stay as they are, and only a sign-in helps. Default: all are. */
  readonly canUse?: ((tokens: TokenSet) => Promise<boolean>) | undefined
  /** Seconds before the end at which a token is due; default 60, and never more than a quarter of its life. */
  readonly margin?: number | undefined
  /** The access token that the resource has just refused: due, whatever its end. */
  readonly rejected?: string | undefined
  readonly trace?: Trace | undefined
  /** Milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/**
 * The tokens of this name, fresh enough to be used now; undefined when only a sign-in helps. A refresh is one transaction among
 * all processes that share the store: under its lock the tokens are read again; what another process has refreshed meanwhile is
 * adopted; else they are refreshed, written, and only then handed out. Calls in this process share one.
 *
 * Only `invalid_grant` ends a refresh token: nobody asks again with it, and what is left is the access token up to its end, or
 * until the resource refuses it. After any other failure the tokens stay as they are: handed out while they are valid (and not
 * tried again for some seconds), else the failure is thrown. Throws
 * `StoreUnavailable` where the store cannot say; that is never undefined.
 *
 * A process that ends between the answer and the writing has lost the answer: the next one asks with the old refresh token,
 * which goes well where the authorization server lets a client repeat itself, and is an `invalid_grant` where it does not.
 */
export async function useTokens(use: TokenUse): Promise<TokenSet | undefined> {
  const { canUse = always } = use
  const tokens = await readTokens(use.store, use.name, use.trace)
  if (tokens === undefined || !(await canUse(tokens))) return undefined
  if (!isDue(use, tokens)) return tokens
  if (isUsable(use, tokens) && seconds(use) < (memoryOf(use.store).pauses.get(use.name) ?? 0)) return tokens
  const outcome = await shareFlight(use)
  if (outcome.tokens !== undefined && isUsable(use, outcome.tokens)) return outcome.tokens
  if (outcome.trouble !== undefined) throw outcome.trouble
  return undefined
}

/**
 * Puts the tokens of a sign-in in the place of those of this name, not into the middle of a refresh. Answers them with their
 * generation.
 */
export async function keepTokens(store: CredentialStore, name: string, tokens: TokenSet): Promise<TokenSet> {
  return await store.locked(name, async () => {
    const before = await readTokens(store, name)
    const kept = { ...tokens, generation: (before?.generation ?? 0) + 1 }
    await writeTokens(store, name, kept)
    memoryOf(store).unwritten.delete(name)
    return kept
  })
}

/** What is stored now, and what went wrong, if something did. */
interface Outcome {
  readonly tokens: TokenSet | undefined
  readonly trouble?: Error
}

/** What this process remembers of a store, by the names of tokens. */
interface Memory {
  readonly flights: Map<string, Promise<Outcome>>
  /** Seconds since 1970 until which a refresh that failed is not tried again. */
  readonly pauses: Map<string, number>
  /** Tokens that came when the store could not take them, with the generation that they come after. */
  readonly unwritten: Map<string, TokenSet>
}

const memories = new WeakMap<CredentialStore, Memory>()

function memoryOf(store: CredentialStore): Memory {
  const known = memories.get(store)
  if (known !== undefined) return known
  const memory: Memory = { flights: new Map(), pauses: new Map(), unwritten: new Map() }
  memories.set(store, memory)
  return memory
}

const pauseSeconds = 5

const always = async (): Promise<boolean> => true

const seconds = ({ now = Date.now }: TokenUse): number => now() / 1000

function isDue({ rejected, margin = 60, ...use }: TokenUse, tokens: TokenSet): boolean {
  if (tokens.accessToken === rejected) return true
  if (tokens.expiresAt === undefined) return false
  const life = Math.max(0, tokens.expiresAt - tokens.obtainedAt)
  return tokens.expiresAt - Math.min(margin, life / 4) <= seconds(use)
}

function isUsable({ rejected, ...use }: TokenUse, { accessToken, expiresAt }: TokenSet): boolean {
  return accessToken !== rejected && (expiresAt === undefined || expiresAt > seconds(use))
}

/** One refresh at a time in this process, for all who want the same. */
async function shareFlight(use: TokenUse): Promise<Outcome> {
  const { flights } = memoryOf(use.store)
  const key = JSON.stringify([use.name, use.rejected])
  const flying = flights.get(key) ?? fly(use).finally(() => flights.delete(key))
  flights.set(key, flying)
  return await flying
}

async function fly(use: TokenUse): Promise<Outcome> {
  const { store, name, trace = silent, canUse = always } = use
  return await store.locked(name, async () => {
    const tokens = await readCurrent(use)
    if (tokens !== undefined && !(await canUse(tokens))) return { tokens: undefined }
    if (tokens === undefined || !isDue(use, tokens)) {
      trace({ step: 'refresh', outcome: 'chosen', why: 'another process was faster', data: { name } })
      return { tokens }
    }
    if (tokens.refreshToken === undefined) return { tokens }
    return await refreshOnce(use, tokens)
  })
}

/** What is stored, or what should be: tokens that could not be written the last time, unless somebody has written since. */
async function readCurrent({ store, name, trace }: TokenUse): Promise<TokenSet | undefined> {
  const stored = await readTokens(store, name, trace)
  const { unwritten } = memoryOf(store)
  const late = unwritten.get(name)
  if (late === undefined) return stored
  if (stored?.generation !== late.generation - 1) {
    unwritten.delete(name)
    return stored
  }
  await writeTokens(store, name, late)
  unwritten.delete(name)
  return late
}

async function refreshOnce(use: TokenUse, tokens: TokenSet): Promise<Outcome> {
  const { name, trace = silent } = use
  trace({ step: 'refresh', outcome: 'tried', data: { name, generation: tokens.generation } })
  let fresh: TokenSet
  try {
    fresh = await use.refresh(tokens)
  } catch (error) {
    return await keepAfterFailure(use, tokens, error)
  }
  const kept = await write(use, {
    ...fresh,
    // A server that does not rotate, or that repeats no scope, means: as before (RFC 6749 sections 6 and 5.1). Not so the end:
    // one that it leaves out is not known.
    refreshToken: fresh.refreshToken ?? tokens.refreshToken,
    scopes: fresh.scopes ?? tokens.scopes,
    asked: fresh.asked ?? tokens.asked,
    dpopKey: fresh.dpopKey ?? tokens.dpopKey,
    idToken: fresh.idToken ?? tokens.idToken,
    generation: tokens.generation + 1,
  })
  trace({ step: 'refresh', outcome: 'done', data: { name, generation: kept.generation } })
  return { tokens: kept }
}

async function write({ store, name }: TokenUse, tokens: TokenSet): Promise<TokenSet> {
  const { unwritten, pauses } = memoryOf(store)
  // Before the attempt: what came cannot be had again, and the store may take it later.
  unwritten.set(name, tokens)
  await writeTokens(store, name, tokens)
  unwritten.delete(name)
  pauses.delete(name)
  return tokens
}

async function keepAfterFailure(use: TokenUse, tokens: TokenSet, error: unknown): Promise<Outcome> {
  const { store, name, trace = silent } = use
  const trouble = error instanceof Error ? error : new Error('the refresh failed')
  const isDead = error instanceof TokenEndpointError && !error.transient && error.error === 'invalid_grant'
  if (!isDead) {
    trace({ step: 'refresh', outcome: 'failed', why: 'the tokens stay as they are', data: { name } })
    memoryOf(store).pauses.set(name, seconds(use) + pauseSeconds)
    return { tokens, trouble }
  }
  trace({ step: 'refresh', outcome: 'refused', why: 'the refresh token has ended', data: { name } })
  const { refreshToken: _, ...rest } = tokens
  return { tokens: await write(use, { ...rest, generation: tokens.generation + 1 }) }
}
