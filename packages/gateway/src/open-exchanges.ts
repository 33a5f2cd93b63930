import type { Principal } from '@warder/policy'
import { Refusal } from '@warder/protocol'

/** One authenticated request in progress, from its token to the last byte of its answer. */
export interface Exchange {
  readonly principal: Principal
  /** Aborts when the client is gone, the access or the gateway ends, or, for a stream of news, the token. */
  readonly signal: AbortSignal
  /** A Refusal is answered where it still can be; any other reason means that nobody listens any more. */
  abort(reason: Error): void
  /** Says what it is, as soon as that is known: what ends it depends on that. */
  settle(nature: ExchangeNature): void
  /** For a stream of news: it ends with the token. */
  endWithToken(): void
  /** From here on `tell` is called when the same user comes with the same client and more scopes than before. */
  onWiderToken(tell: () => void): void
  done(): void
}

export interface ExchangeNature {
  /** Whether its answer is a stream that stays open for news. */
  readonly isNews: boolean
  /** Whether the policy in force would still let it pass. */
  isStillOpen(): boolean
}

/** The requests in progress, so that a revocation ends what it should have prevented (N06, N07). */
export interface OpenExchanges {
  /** Throws `http.throttled` when the user has too many (N13), and `http.full` when all together have (U07). */
  open(principal: Principal): Exchange
  close(match: (principal: Principal) => boolean, reason: Refusal): void
  /** Ends what the policy would not let pass any more, and the streams of news: they are opened again under it. */
  closeNarrowed(reason: Refusal): void
  /** Ends only the streams that stay open for news: no call waits for their end. */
  closeNews(reason: Refusal): void
}

const maxTimer = 2_147_483_647
/** Calls and streams in progress at one time; more are refused. */
export interface ExchangeLimits {
  /** Of one user, with whatever clients, tokens and sessions; default 256. */
  readonly perUser?: number
  /** Of all users together; default 10,000. */
  readonly total?: number
  /** Milliseconds for which a client may take nothing of its answer before it counts as gone; default 60,000. */
  readonly stalled?: number
  /** Milliseconds for which a close waits for what it has ended, until that is recorded; default 5,000. */
  readonly ending?: number
}

interface OpenExchange extends Exchange {
  /** What the caller was seen to have since the exchange began, where that is asked for. */
  known: Set<string> | undefined
  tellWider: (() => void) | undefined
  /** Undefined while its message is being read: that is decided later, by the policy of then. */
  nature: ExchangeNature | undefined
}

/** `now` is in milliseconds. */
export function createOpenExchanges(now: () => number, limits: ExchangeLimits = {}): OpenExchanges {
  const { perUser = 256, total = 10_000 } = limits
  let count = 0
  const byUser = new Map<string, Set<OpenExchange>>()

  const abortAll = (match: (exchange: OpenExchange) => boolean, reason: Refusal): void => {
    for (const own of [...byUser.values()]) {
      for (const exchange of [...own]) if (match(exchange)) exchange.abort(reason)
    }
  }

  return {
    open(principal) {
      const key = JSON.stringify([principal.user.issuer, principal.user.subject])
      const own = byUser.get(key) ?? new Set()
      if (count >= total) throw new Refusal('http.full', { detail: 'open exchanges' })
      if (own.size >= perUser) throw new Refusal('http.throttled', { detail: 'open exchanges of one user' })
      const controller = new AbortController()
      let timer: NodeJS.Timeout | undefined
      const exchange: OpenExchange = {
        principal,
        signal: controller.signal,
        known: undefined,
        tellWider: undefined,
        nature: undefined,
        abort: (reason) => controller.abort(reason),
        settle(nature) {
          exchange.nature = nature
        },
        endWithToken() {
          const rest = Math.max(0, principal.expiresAt * 1000 - now())
          timer = setTimeout(() => controller.abort(new Refusal('token.expired')), Math.min(rest, maxTimer))
          timer.unref()
        },
        onWiderToken(tell) {
          exchange.known = new Set(principal.scopes)
          exchange.tellWider = tell
        },
        done() {
          clearTimeout(timer)
          if (own.delete(exchange)) count -= 1
          if (own.size === 0 && byUser.get(key) === own) byUser.delete(key)
        },
      }
      for (const other of own) tellIfWider(other, principal)
      byUser.set(key, own.add(exchange))
      count += 1
      return exchange
    },
    close: (match, reason) => abortAll(({ principal }) => match(principal), reason),
    closeNarrowed: (reason) =>
      abortAll(({ nature }) => nature !== undefined && (nature.isNews || !nature.isStillOpen()), reason),
    closeNews: (reason) => abortAll(({ nature }) => nature?.isNews === true, reason),
  }
}

function tellIfWider(exchange: OpenExchange, { client, scopes }: Principal): void {
  const { known, tellWider } = exchange
  if (known === undefined || tellWider === undefined || exchange.signal.aborted) return
  if (exchange.principal.client.id !== client.id) return
  const more = [...scopes].filter((scope) => !known.has(scope))
  for (const scope of more) known.add(scope)
  if (more.length > 0) tellWider()
}
