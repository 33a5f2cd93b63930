import { setTimeout as delay } from 'node:timers/promises'
import { type HeldLock, holdLock } from './hold-lock.ts'

/** Others kept a lock for longer than somebody wanted to wait. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout'
}

/**
 * Takes the lock that a file stands for as soon as nobody else has it; see `holdLock`. There is no order among those who wait.
 * Throws `LockTimeout` after `timeoutMs` milliseconds.
 */
export async function waitForLock(
  file: string,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<HeldLock> {
  const start = performance.now()
  for (;;) {
    const lock = holdLock(file)
    if (lock !== undefined) return lock
    const waited = performance.now() - start
    if (waited >= timeoutMs) throw new LockTimeout(`another process holds ${file}`)
    // Less often the longer it lasts, and never all at the same moment, or they meet again and again.
    const pause = Math.min(5 + waited / 8, 150, timeoutMs - waited)
    await delay(pause * (0.5 + Math.random()))
  }
}
