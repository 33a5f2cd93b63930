import { hash, verify } from '@node-rs/argon2'
import { Refusal } from '@warder/protocol'

/** Argon2id for passwords, behind a limit on how many hashes are computed at once. */
export interface Passwords {
  hash(password: string): Promise<string>
  /**
   * Whether the password is the one that was hashed. `undefined` as hash stands for "no such user": it costs the same, and the
   * answer is no. `mayTry` runs when the turn has come, right before the work, so that waiting attempts see earlier failures.
   */
  verify(
    passwordHash: string | undefined,
    password: string,
    turn: { mayTry(): Promise<void>; failed(): Promise<void> },
  ): Promise<boolean>
}

/** OWASP's first choice: 19 MiB, two passes, one lane. The algorithm is argon2id by default. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
const atOnce = 2
const waiting = 32

/** Makes the password hasher; at most two hashes are computed at once and 32 wait, others get `login.throttled`. */
export function makePasswords(): Passwords {
  const turn = makeQueue()
  let dummy: Promise<string> | undefined
  return {
    hash: (password) => turn(() => hash(password, cost)),
    verify: (passwordHash, password, { mayTry, failed }) =>
      turn(async () => {
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

function makeQueue(): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0
  const queue: (() => void)[] = []
  return async (work) => {
    if (queue.length >= waiting)
      throw new Refusal('login.throttled', { retryAfter: 5, detail: 'queue is full' })
    if (running >= atOnce) await new Promise<void>((resolve) => queue.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
