import type { UserFetch } from '../../src/connect/index.ts'
import { plainFetch } from './bridged.ts'

/** What was fetched by which of the two ways: the method of the message, or that of HTTP. */
export type Fetched = readonly ['asking' | 'quiet', string]

/** Two fetches with a sign-in behind them that can be over, wait for somebody, and come to pass again. */
export interface SignInGate {
  readonly fetch: UserFetch
  readonly quietFetch: UserFetch
  readonly signInLink: () => string | undefined
  readonly fetched: Fetched[]
  /** How often a person was asked. */
  asked(): number
  /** From here on these messages need somebody who signs in; `link` is where, as soon as it is known. */
  shut(methods: readonly string[], link?: string): void
  showLink(link: string): void
  /** Somebody has signed in, or has given up. */
  open(): void
  giveUp(): void
}

class SignInRequired extends Error {
  override readonly name = 'SignInRequired'
}

export function makeSignInGate(): SignInGate {
  const fetched: Fetched[] = []
  let shut: readonly string[] = []
  let link: string | undefined
  let asked = 0
  let wake = new AbortController()

  const end = (): void => {
    shut = []
    link = undefined
    wake.abort()
    wake = new AbortController()
  }
  let isGivenUp = false

  const make =
    (way: 'asking' | 'quiet'): UserFetch =>
    async (url, init) => {
      const method = init.body === undefined ? (init.method ?? 'GET') : JSON.parse(init.body).method
      fetched.push([way, method])
      if (shut.includes(method)) {
        if (way === 'quiet') throw new SignInRequired('nobody is asked')
        asked += 1
        await untilEither(wake.signal, init.signal)
        if (isGivenUp) throw new SignInRequired('nobody signed in')
      }
      return plainFetch(url, init as RequestInit)
    }
  return {
    fetch: make('asking'),
    quietFetch: make('quiet'),
    signInLink: () => link,
    fetched,
    asked: () => asked,
    shut: (methods, place) => {
      shut = methods
      link = place
    },
    showLink: (place) => {
      link = place
    },
    open: end,
    giveUp: () => {
      isGivenUp = true
      end()
    },
  }
}

/** Rejects when it is the second that ends first. */
function untilEither(first: AbortSignal, second: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(second?.reason)
    if (second?.aborted) return leave()
    second?.addEventListener('abort', leave, { once: true })
    first.addEventListener('abort', () => resolve(), { once: true })
  })
}
