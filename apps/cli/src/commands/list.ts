import { hosts, type ListedServer, listServers, loadHostConfig, type ServerStatus } from '@warder/host-config'
import { ownPlaces } from '../client/find-server.ts'
import { showEndpoint, showServer } from '../client/show-server.ts'
import type { Command } from '../command.ts'
import { note, paint, plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'

/** What becomes of an entry, in a word. */
export const statusWords: Readonly<Record<ServerStatus, string>> = {
  active: 'allowed',
  overridden: 'overridden',
  pending: 'pending approval',
  rejected: 'rejected',
  disabled: 'disabled',
  denied: 'denied',
  excluded: 'excluded',
  broken: 'mistake',
}

export const list: Command = {
  usage: 'list [--host HOST] [--json]',
  options: {
    host: { value: 'HOST', says: `Only this one’s servers: ${hosts.join(', ')}`, among: hosts },
    json: { says: 'Print one JSON object: servers, findings' },
  },
  examples: ['warder list', 'warder list --host claude-code --json'],
  async run({ options, switches, words }) {
    if (words.length > 0) throw new Problem('warder list takes no name. One server: warder get NAME', 2)
    const { host } = options
    const config = await loadHostConfig(ownPlaces())
    const listed = listServers(config).filter(
      ({ server }) => host === undefined || server.source.host === host,
    )
    const findings = config.findings.map(({ level, rule, message, place, server }) => ({
      level,
      rule,
      message: plain(message),
      ...place,
      server,
    }))
    if (switches.has('json')) {
      print(JSON.stringify({ servers: listed.map(toJson), findings }))
      return 0
    }
    if (listed.length === 0) print('No host has a server in its list yet. Add one: warder add NAME URL')
    else print(table([['NAME', 'HOST', 'SCOPE', 'STATUS', 'WHERE'], ...listed.map(toRow)], ''))
    for (const { server, why, status } of listed)
      if (why !== '' && status !== 'overridden')
        note(`${plain(server.name)} (${server.source.host}): ${plain(why)}.`)
    for (const { level, file, line, column, message } of findings)
      note(`${plain(file)}:${line}:${column}: ${level}: ${message}`)
    return 0
  },
}

/** An entry for programs; what looks like a secret is hidden. */
export function toJson({ server, status, why }: ListedServer): object {
  return { ...showServer(server), status: statusWords[status], why: plain(why) }
}

function toRow({ server, status }: ListedServer): readonly string[] {
  const shown = showServer(server)
  const word = statusWords[status]
  return [
    shown.name,
    shown.host,
    shown.scope,
    status === 'active' ? paint('green', word) : paint('yellow', word),
    showEndpoint(shown),
  ]
}
