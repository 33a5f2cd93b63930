import { redirectHost, redirectPlace } from '@warder/protocol'
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
  const [kind, host] = [redirectPlace(redirectUri), redirectHost(redirectUri)]
  return { kind, host: kind === 'scheme' ? host.slice(0, -1) : host, uri: redirectUri }
}

/** For which server, as the pages show it. */
export function describeServer({ title, resource }: ServedResource): ServerView {
  return { title, resource }
}
