import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '@warder/protocol'

/** Argon2id for passwords, behind a limit on how many hashes are computed at once. */
export interface Passwords {
  hash(password: string): Promise<string>
  /**
   * Whether the password is the one that was hashed. `undefined` as hash stands for "no such user": it costs the same, and the
   * answer is no. `mayTry` runs when the turn has come, right before the work, so that waiting attempts see earlier failures.
   * `isKnown`: from a browser that this user has signed in with; it has a queue of its own that goes first, so that no crowd
   * of strangers keeps a user out.
   */
  verify(
    passwordHash: string | undefined,
    password: string,
    turn: { readonly isKnown: boolean; mayTry(): Promise<void>; failed(): Promise<void> },
  ): Promise<boolean>
}

/** OWASP's first choice: 19 MiB, two passes, one lane. The algorithm is argon2id by default. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const atOnce = 2
const waiting = 32

/** Makes the password hasher; at most two hashes are computed at once and 32 wait in each queue, others get `login.throttled`. */
export function makePasswords(): Passwords {
  const turn = makeQueue()
  let dummy: Promise<string> | undefined
  return {
    hash: (password) => turn(true, () => hash(password, cost)),
    verify: (passwordHash, password, { isKnown, mayTry, failed }) =>
      turn(isKnown, async () => {
        await mayTry()
        // Unknown users cost the same time as known ones, so that time tells nobody who has an account here.
        dummy ??= hash('nobody has this password', cost)
        const nobody = await dummy
        const right = await verify(passwordHash ?? nobody, password)
        const accepted = right && passwordHash !== undefined
        if (!accepted) await failed()
        return accepted
      }),
  }
}

function makeQueue(): <T>(goesFirst: boolean, work: () => Promise<T>) => Promise<T> {
  let running = 0
  const first: (() => void)[] = []
  const others: (() => void)[] = []
  return async (goesFirst, work) => {
    const queue = goesFirst ? first : others
    if (queue.length >= waiting)
      throw new Refusal('login.throttled', { retryAfter: 5, detail: 'queue is full' })
    if (running >= atOnce) await new Promise<void>((resolve) => queue.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = first.shift() ?? others.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
