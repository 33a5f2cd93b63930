import type { Outcome } from '../child-peer.ts'

const lookMs = 1000

/**
 * Waits for an answer. Comes back without one when `patienceMs` are over and somebody has to sign in first, however late that turns out;
 * without a sign-in there is no end to it, since a tool may be slow. Rejects as the answer does.
 */
export async function waitForAnswer(
  answer: Promise<Outcome>,
  patienceMs: number,
  isSigningIn: () => boolean,
): Promise<Outcome | undefined> {
  let watch: NodeJS.Timeout | undefined
  const sawSignIn = new Promise<undefined>((resolve) => {
    const look = (): void => {
      if (isSigningIn()) resolve(undefined)
      else watch = setTimeout(look, lookMs)
    }
    watch = setTimeout(look, patienceMs)
  })
  try {
    return await Promise.race([answer, sawSignIn])
  } finally {
    clearTimeout(watch)
  }
}
