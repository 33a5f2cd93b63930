import type { Principal } from '@warder/policy'
import { Refusal } from '@warder/protocol'

/** One authenticated request in progress, from its token to the last byte of its answer. */
export interface Exchange {
  readonly principal: Principal
  /** Aborts when the client is gone, the grant has ended, the token has (for streams), or the gateway closes. */
  readonly signal: AbortSignal
  /** A Refusal is answered where it still can be; any other reason means that nobody listens any more. */
  abort(reason: Error): void
  /** The answer is a stream from here on: it ends with the token. */
  endWithToken(): void
  /** From here on `tell` is called when the same user comes with the same client and more scopes than before. */
  onWiderToken(tell: () => void): void
  done(): void
}

/** The requests in progress, so that a revocation ends what it should have prevented (N06, N07). */
export interface OpenExchanges {
  /** Throws `http.throttled` when the user has too many (N13). */
  open(principal: Principal): Exchange
  close(match: (principal: Principal) => boolean, reason: Refusal): void
}

const maxTimer = 2_147_483_647
/** Calls and streams of one user at one time. */
const maxPerUser = 256

interface OpenExchange extends Exchange {
  /** What the caller was seen to have since the exchange began. */
  readonly known: Set<string>
  tellWider: (() => void) | undefined
}

/** `now` is in milliseconds. */
export function createOpenExchanges(now: () => number): OpenExchanges {
  const byUser = new Map<string, Set<OpenExchange>>()

  return {
    open(principal) {
      const key = JSON.stringify([principal.user.issuer, principal.user.subject])
      const own = byUser.get(key) ?? new Set()
      if (own.size >= maxPerUser)
        throw new Refusal('http.throttled', { detail: 'open exchanges of one user' })
      const controller = new AbortController()
      let timer: NodeJS.Timeout | undefined
      const exchange: OpenExchange = {
        principal,
        signal: controller.signal,
        known: new Set(principal.scopes),
        tellWider: undefined,
        abort: (reason) => controller.abort(reason),
        endWithToken() {
          const rest = Math.max(0, principal.expiresAt * 1000 - now())
          timer = setTimeout(() => controller.abort(new Refusal('token.expired')), Math.min(rest, maxTimer))
          timer.unref()
        },
        onWiderToken(tell) {
          exchange.tellWider = tell
        },
        done() {
          clearTimeout(timer)
          own.delete(exchange)
          if (own.size === 0 && byUser.get(key) === own) byUser.delete(key)
        },
      }
      for (const other of own) tellIfWider(other, principal)
      byUser.set(key, own.add(exchange))
      return exchange
    },
    close(match, reason) {
      for (const own of [...byUser.values()]) {
        for (const exchange of [...own]) if (match(exchange.principal)) exchange.abort(reason)
      }
    },
  }
}

function tellIfWider(exchange: OpenExchange, { client, scopes }: Principal): void {
  if (exchange.tellWider === undefined || exchange.signal.aborted) return
  if (exchange.principal.client.id !== client.id) return
  const more = [...scopes].filter((scope) => !exchange.known.has(scope))
  for (const scope of more) exchange.known.add(scope)
  if (more.length > 0) exchange.tellWider()
}
