import type { ServedResource } from '@warder/authorization-server'
import type { StdioHost } from '@warder/bridge'
import { httpUpstream, type Route, stdioUpstream } from '@warder/gateway'
import { createGuard } from '@warder/guard'
import type { Policy } from '@warder/policy'
import { note } from '../output.ts'
import type { Target } from './find-targets.ts'
import { type Inventory, inspectUpstream } from './inspect-upstream.ts'
import type { Issuing } from './issuing.ts'
import { type Hosting, openCommand } from './open-command.ts'
import type { OpenParts } from './open-parts.ts'

/** One server to protect, with what it offers; its upstream runs. */
export interface OpenServer {
  readonly name: string
  /** Where clients reach it, and the one audience of its tokens. */
  readonly endpoint: string
  readonly upstream: StdioHost | { readonly url: string }
  readonly inventory: Inventory
}

interface Surroundings {
  readonly publicUrl: string
  readonly hosting: Hosting
}

/** Opens all upstreams at once and asks each what it offers; when one does not answer, nothing starts. */
export async function openServers(
  targets: readonly [Target, ...Target[]],
  { publicUrl, hosting }: Surroundings,
  parts: OpenParts,
): Promise<readonly [OpenServer, ...OpenServer[]]> {
  note(`Looking at the tools of ${targets.map(({ name }) => name).join(', ')} …`)
  const [first, ...others] = targets
  const open = (target: Target): Promise<OpenServer> => openServer(target, { publicUrl, hosting }, parts)
  const [opened, ...rest] = await Promise.all([open(first), ...others.map(open)])
  return [opened, ...rest]
}

async function openServer(
  target: Target,
  { publicUrl, hosting }: Surroundings,
  parts: OpenParts,
): Promise<OpenServer> {
  const { name } = target
  const upstream = openUpstream(target, hosting)
  if ('close' in upstream) await parts.add(upstream.close)
  const inventory = await inspectUpstream(name, upstream)
  if (inventory.open && 'url' in upstream) note(await openDoorWarning(upstream.url))
  return { name, endpoint: `${publicUrl}/${name}/mcp`, upstream, inventory }
}

function openUpstream({ name, upstream, env }: Target, hosting: Hosting): OpenServer['upstream'] {
  return 'url' in upstream ? upstream : openCommand({ name, run: upstream.run, env }, hosting)
}

/** Few starts say this, and none of the others loads what shows addresses. */
async function openDoorWarning(url: string): Promise<string> {
  const { bareUrl } = await import('../client/show-url.ts')
  return `Warning: anybody who reaches ${bareUrl(url)} can call it without a token. Warder cannot protect a port that others reach: let that server listen on 127.0.0.1, or put it behind a firewall.`
}

/** What the authorization server has to know of it. */
export function servedResource({ name, endpoint, inventory }: OpenServer): ServedResource {
  return { resource: endpoint, server: name, title: name, tools: inventory.tools }
}

/** Its guard and its upstream, as the gateway takes them. */
export function routeTo(
  { name, endpoint, upstream }: OpenServer,
  options: { readonly policy: () => Policy; readonly issuing: Issuing; readonly secret: Uint8Array },
): Route {
  const { policy, issuing, secret } = options
  return {
    path: new URL(endpoint).pathname,
    guard: createGuard({ resource: endpoint, server: name, policy, ...issuing.guard }),
    upstream: 'url' in upstream ? httpUpstream({ url: upstream.url, secret }) : stdioUpstream(upstream),
  }
}
