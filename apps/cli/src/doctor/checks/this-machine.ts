import { findProxy, type Network } from '@warder/outbound'
import { isLoopbackHost } from '@warder/protocol'
import type { Tell } from '../finding.ts'

const group = 'this machine'

/** What stands between this machine and the server. Neither names nor passwords of a proxy are shown. */
export function checkThisMachine(server: string, network: Network, tell: Tell): void {
  tell({
    group,
    check: 'node',
    outcome: 'good',
    found: `Node ${process.versions.node} on ${process.platform}`,
  })
  const proxy = findProxy(new URL(server), network.proxies)
  tell({
    group,
    check: 'proxy',
    outcome: 'good',
    found: proxy === undefined ? 'none for this server' : `${proxy.protocol}//${proxy.host}`,
  })
  const authorities = network.ca?.length
  tell({
    group,
    check: 'certificate authorities',
    outcome: 'good',
    found: authorities === undefined ? 'those of Node' : `${authorities}, with those of the system`,
  })
  if (network.certificate !== undefined)
    tell({ group, check: 'client certificate', outcome: 'good', found: 'shown to servers that ask for one' })
  if (server.startsWith('http://') && proxy === undefined && !isLoopbackHost(new URL(server).hostname))
    tell({
      group,
      check: 'plain http',
      outcome: 'bad',
      found: 'whoever stands in between can read and change everything, tokens too',
      fix: 'use https; Warder sends no token over http to another machine',
    })
}
