import { isLoopbackRedirect, redirectHost } from '@warder/protocol'
import type { ServedResource } from '../options.ts'
import type { ClientView, RedirectView, ServerView } from '../pages/index.ts'
import type { StoredRequest } from '../stored-request.ts'

/** Who asks, as the pages show it. */
export function describeAsker({ client }: StoredRequest): ClientView {
  return {
    name: client.name,
    class: client.class,
    id: client.id,
    ...(client.documentHost === undefined ? {} : { documentHost: client.documentHost }),
  }
}

/** Where the answer goes, as the consent page shows it. */
export function describeRedirect({ redirectUri }: StoredRequest): RedirectView {
  const host = redirectHost(redirectUri)
  if (isLoopbackRedirect(redirectUri)) return { kind: 'loopback', host, uri: redirectUri }
  if (/^https:/i.test(redirectUri)) return { kind: 'web', host, uri: redirectUri }
  return { kind: 'scheme', host: host.slice(0, -1), uri: redirectUri }
}

/** For which server, as the pages show it. */
export function describeServer({ title, resource }: ServedResource): ServerView {
  return { title, resource }
}
