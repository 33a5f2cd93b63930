import { dialects, type Host, hosts, loadHostConfig, writeEntryText } from '@warder/host-config'
import { ownPlaces } from '../client/find-server.ts'
import { translateServers } from '../client/translate-server.ts'
import type { Command } from '../command.ts'
import { note, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'

export const exportCommand: Command = {
  usage: 'export [NAME...] --to HOST [--from HOST] [--json]',
  options: {
    to: { value: 'HOST', says: `In whose words: ${hosts.join(', ')}`, among: hosts },
    from: { value: 'HOST', says: 'Whose servers (default: warder)', among: hosts },
    json: { says: 'Print one JSON array: each server, its entry, what its words cannot say' },
  },
  examples: ['warder export tracker --to vscode', 'warder export --from claude-code --to codex'],
  async run({ options, switches, words }) {
    const to = options['to'] as Host | undefined
    if (to === undefined) throw new Problem('say for whom: warder export --to HOST', 2)
    const from = (options['from'] ?? 'warder') as Host
    const translated = translateServers(await loadHostConfig(ownPlaces()), { from, to, names: words })
    const written = translated.flatMap(({ listed: { server }, entry }) =>
      entry === undefined ? [] : [{ name: server.name, entry }],
    )
    if (switches.has('json'))
      print(
        JSON.stringify(
          translated.map(({ listed, entry, lost, why }) => ({
            name: plain(listed.server.name),
            entry,
            lost: lost.map(plain),
            why,
          })),
        ),
      )
    else if (written.length > 0) print(writeEntryText(to, written))
    for (const { listed, lost, why } of translated) {
      const name = plain(listed.server.name)
      if (why !== undefined) note(`${name} was left out: ${plain(why)}`)
      for (const what of lost) note(`${name}: ${dialects[to].title} cannot say ${plain(what)}`)
    }
    return written.length === translated.length && written.length > 0 ? 0 : 1
  },
}
