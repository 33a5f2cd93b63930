import { bridgeTargets, type EffectiveServer, type HostConfig } from '@warder/host-config'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { bridgedUrl } from './bridged-command.ts'

/**
 * What a server is looked up for. `use`: something is sent to it, so it has to be allowed, approved and whole. `look`: only its
 * address is wanted, to find a sign-in that is stored; that must go on when the server itself may not be used any more.
 */
export type Purpose = 'use' | 'look'

/** One of the entries of a name, or a Problem that says what to do. */
export function chooseEntry(
  word: string,
  found: readonly EffectiveServer[],
  { config, purpose }: { readonly config: HostConfig; readonly purpose: Purpose },
): EffectiveServer {
  const own = found.find(({ server }) => server.source.host === 'warder')
  if (own !== undefined) return own
  const remote = found.filter(
    ({ server }) => server.transport !== 'stdio' || bridgeTargets(server) !== undefined,
  )
  const active = remote.filter(({ status }) => status === 'active')
  const meant = active.length === 0 && purpose === 'look' ? remote : active
  const endpoints = new Set(meant.map(({ expanded, server }) => expanded.url ?? bridgedUrl(server)))
  if (endpoints.size > 1) {
    const choices = meant.map(({ server }) => `--host ${server.source.host}`).join(' or ')
    throw new Problem(`${plain(word)} means different servers in different hosts. Say which: ${choices}`, 2)
  }
  const chosen = active[0] ?? remote[0] ?? found[0]
  if (chosen !== undefined) return chosen
  const looked = config.documents.length
  throw new Problem(
    `no list of servers has ${plain(word)} (looked into ${looked} ${looked === 1 ? 'file' : 'files'}). ` +
      `Add it: warder add ${plain(word)} URL. What there is: warder list`,
    2,
  )
}
