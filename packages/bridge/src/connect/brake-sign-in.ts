import { readAbsence } from './link.ts'
import type { UserFetch } from './user-fetch.ts'

/**
 * The brake against a storm of browser tabs: after a sign-in that came to nothing, nobody is asked again for `brakeMs`. Until then
 * requests go the quiet way, which succeeds when somebody has signed in elsewhere.
 */
export function brakeSignIn(fetch: UserFetch, quietFetch: UserFetch | undefined, brakeMs: number): UserFetch {
  let failed: { readonly error: unknown; readonly at: number } | undefined
  return async (url, init) => {
    if (failed !== undefined && performance.now() - failed.at < brakeMs) {
      if (quietFetch === undefined) throw failed.error
      return quietFetch(url, init)
    }
    try {
      const response = await fetch(url, init)
      failed = undefined
      return response
    } catch (error) {
      if (readAbsence(error).kind === 'sign-in') failed = { error, at: performance.now() }
      throw error
    }
  }
}
