import { Refusal } from '@warder/protocol'
import { type KeySource, keyDeadline, loadJwks } from './load-jwks.ts'
import { timeSince } from './time-since.ts'
import { readVerificationKey, type VerificationKey } from './verification-key.ts'
import { withDeadline } from './with-deadline.ts'

/** The issuer's keys, as fresh as they can be had. */
export interface KeySet {
  /**
   * The one key for this algorithm and key id. Throws `token.key` when there is none or, without a key id, more than one, and
   * `keys.unavailable` when that cannot be told.
   */
  find(algorithm: string, kid: string | undefined): Promise<VerificationKey>
  /** Whether the issuer still shows this key: at once while the set is fresh, which is hardly ever not so. Throws `keys.unavailable`. */
  isCurrent(key: VerificationKey): boolean | Promise<boolean>
}

/** Milliseconds after which the set is loaded again; a key that the issuer removed stops working by then. */
const freshFor = 5 * 60_000
/** Milliseconds for which an issuer that does not answer is trusted not to have changed its keys. */
const usableFor = 60 * 60_000
/** Milliseconds between two loads that an unknown key id causes: the key id is the attacker's choice. */
const coolDown = 30_000
/** Milliseconds between two tries of an issuer that does not answer: with old keys at hand, and with none. */
const retryWithKeys = 30_000
const retryWithout = 1_000
const retryAfter = 5

/** Keeps the keys of one issuer: one load at a time, with a deadline; old keys up to an hour when the issuer is away. */
export function createKeySet(source: KeySource, now: () => number): KeySet {
  let keys: readonly VerificationKey[] = []
  let loadedAt = Number.NEGATIVE_INFINITY
  let triedAt = Number.NEGATIVE_INFINITY
  let missedAt = Number.NEGATIVE_INFINITY
  let failure: unknown
  let pending: Promise<void> | undefined

  async function load(): Promise<void> {
    triedAt = now()
    try {
      const documents = await withDeadline(() => loadJwks(source), keyDeadline)
      keys = await readKeys(documents, keys)
      loadedAt = now()
      failure = undefined
    } catch (error) {
      failure = error
    } finally {
      pending = undefined
    }
  }

  const refresh = (): Promise<void> => {
    pending ??= load()
    return pending
  }

  const isFresh = (): boolean => timeSince(loadedAt, now()) < freshFor
  const isUsable = (): boolean => timeSince(loadedAt, now()) < usableFor

  function unavailable(): Refusal {
    return new Refusal('keys.unavailable', { retryAfter, detail: String(failure), cause: failure })
  }

  async function freshen(): Promise<void> {
    if (!isFresh()) {
      if (timeSince(triedAt, now()) >= (isUsable() ? retryWithKeys : retryWithout)) await refresh()
      else if (!isUsable()) await pending
    }
    if (!isUsable()) throw unavailable()
  }

  function pick(algorithm: string, kid: string | undefined): VerificationKey | undefined {
    const fitting = keys.filter(
      (key) => key.algorithms.has(algorithm) && (kid === undefined || key.kid === kid),
    )
    if (fitting.length > 1) throw new Refusal('token.key', { detail: 'several keys fit' })
    return fitting[0]
  }

  async function pickAgain(algorithm: string, kid: string): Promise<VerificationKey | undefined> {
    if (timeSince(missedAt, now()) >= coolDown) {
      missedAt = now()
      await refresh()
    } else {
      await pending
    }
    // Without an answer nobody knows whether the key is new or made up; a refresh of the token would not help either.
    if (failure !== undefined) throw unavailable()
    return pick(algorithm, kid)
  }

  return {
    async find(algorithm, kid) {
      await freshen()
      const found = pick(algorithm, kid) ?? (kid === undefined ? undefined : await pickAgain(algorithm, kid))
      if (found === undefined) throw new Refusal('token.key', { detail: 'no such key' })
      return found
    },
    isCurrent(key) {
      return isFresh() ? keys.includes(key) : freshen().then(() => keys.includes(key))
    },
  }
}

/** Keys that were there before keep their identity, so that tokens verified with them stay verified. */
async function readKeys(
  documents: readonly unknown[],
  before: readonly VerificationKey[],
): Promise<readonly VerificationKey[]> {
  const read = await Promise.all(documents.map(readVerificationKey))
  const usable = read.filter((key) => key !== undefined)
  const byIdentity = new Map([...usable, ...before].map((key) => [key.identity, key]))
  return [...new Set(usable.map((key) => byIdentity.get(key.identity) ?? key))]
}
