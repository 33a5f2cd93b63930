import { wellKnownPath } from '@warder/protocol'
import type { Route } from './route.ts'

/** What stands at a path: an MCP endpoint, its metadata, or the address where a client of 2024-11-05 looks for a stream. */
export interface Found {
  readonly kind: 'endpoint' | 'metadata' | 'old-transport'
  readonly route: Route
}

export interface Routes {
  /** By the raw path, byte for byte: no other spelling of it is ours (L18). */
  find(path: string): Found | undefined
  /** Where a refusal for a request without a usable target comes from. */
  readonly anyRoute: Found | undefined
}

const routePath = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._~-]+)+$/

/**
 * All paths of the routes. The metadata of each stands at its path-inserted well-known; at the root too, when there is
 * exactly one route. Throws on paths that clients might spell in two ways, and on two routes with one path.
 */
export function createRoutes(routes: readonly Route[]): Routes {
  const paths = new Map<string, Found>()
  for (const route of routes) {
    if (!routePath.test(route.path)) throw new Error(`the path ${route.path} is not canonical`)
    if (paths.has(route.path)) throw new Error(`two routes have the path ${route.path}`)
    paths.set(route.path, { kind: 'endpoint', route })
    const metadata: Found = { kind: 'metadata', route }
    paths.set(wellKnownPath('oauth-protected-resource', route.path), metadata)
    paths.set(new URL(route.guard.metadataUrl).pathname, metadata)
  }
  for (const route of routes) {
    const path = route.path.replace(/[^/]*$/, 'sse')
    if (!paths.has(path)) paths.set(path, { kind: 'old-transport', route })
  }
  const [first] = routes
  if (routes.length === 1 && first !== undefined) {
    paths.set(wellKnownPath('oauth-protected-resource'), { kind: 'metadata', route: first })
  }
  return {
    find: (path) => paths.get(path),
    anyRoute: first === undefined ? undefined : { kind: 'endpoint', route: first },
  }
}
