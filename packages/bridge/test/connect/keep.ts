import { afterEach } from 'vitest'

const closers: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** Closes something after the test that made it, what was made last first. */
export function keep<Kept extends { close(): Promise<void> }>(kept: Kept): Kept {
  closers.push(() => kept.close())
  return kept
}
