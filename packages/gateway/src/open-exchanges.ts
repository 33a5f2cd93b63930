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
  done(): void
}

/** The requests in progress, so that a revocation ends what it should have prevented (N06, N07). */
export interface OpenExchanges {
  open(principal: Principal): Exchange
  close(match: (principal: Principal) => boolean, reason: Refusal): void
}

const maxTimer = 2_147_483_647

/** `now` is in milliseconds. */
export function createOpenExchanges(now: () => number): OpenExchanges {
  const open = new Set<Exchange>()
  return {
    open(principal) {
      const controller = new AbortController()
      let timer: NodeJS.Timeout | undefined
      const exchange: Exchange = {
        principal,
        signal: controller.signal,
        abort: (reason) => controller.abort(reason),
        endWithToken() {
          const rest = Math.max(0, principal.expiresAt * 1000 - now())
          timer = setTimeout(() => controller.abort(new Refusal('token.expired')), Math.min(rest, maxTimer))
          timer.unref()
        },
        done() {
          clearTimeout(timer)
          open.delete(exchange)
        },
      }
      open.add(exchange)
      return exchange
    },
    close(match, reason) {
      for (const exchange of [...open]) if (match(exchange.principal)) exchange.abort(reason)
    },
  }
}
