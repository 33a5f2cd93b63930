import { Refusal } from '@warder/protocol'
import type { WebRequest } from '../message.ts'

/**
 * Refuses what a page of another site loads without the person who looks at it: an image, a frame, a fetch. Each would begin a
 * sign-in, and push out those that are under way. Throws `http.origin`. Whoever sends no `Sec-Fetch-…` headers passes: programs,
 * which act for nobody, and old browsers.
 */
export function checkNavigation(request: WebRequest): void {
  const destination = request.headers.get('sec-fetch-dest') ?? 'document'
  if (destination === 'document' || request.headers.get('sec-fetch-site') !== 'cross-site') return
  throw new Refusal('http.origin', { detail: 'not a navigation' })
}
