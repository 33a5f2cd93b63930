import {
  dialects,
  type Entry,
  type Host,
  hosts,
  type ListedServer,
  loadHostConfig,
} from '@warder/host-config'
import { askYes } from '../client/ask-yes.ts'
import { ownPlaces } from '../client/find-server.ts'
import { checkPolicy, placeOf, putEntries, scopeOption } from '../client/put-server.ts'
import { showWholeCommand } from '../client/show-command.ts'
import { type Translated, translateServers } from '../client/translate-server.ts'
import type { Command } from '../command.ts'
import { note, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'

export const importCommand: Command = {
  usage: 'import [NAME...] --from HOST [--to HOST] [--scope SCOPE] [--replace] [--json]',
  options: {
    from: { value: 'HOST', says: `Whose servers: ${hosts.join(', ')}`, among: hosts },
    to: { value: 'HOST', says: 'Into whose list (default: warder)', among: hosts },
    scope: scopeOption,
    replace: { says: 'Put them in the place of those that have their names' },
    yes: { says: 'Say yes to the commands that would be shown', short: 'y' },
    json: { says: 'Print one JSON array: each server, whether it was imported, what was lost' },
  },
  examples: [
    'warder import --from claude-code',
    'warder import tracker --from vscode --to cursor --scope project',
  ],
  async run({ options, switches, words }) {
    const from = options['from'] as Host | undefined
    if (from === undefined) throw new Problem('say whose servers: warder import --from HOST', 2)
    const to = (options['to'] ?? 'warder') as Host
    const config = await loadHostConfig(ownPlaces())
    const place = placeOf(to, options['scope'], config)
    const translated = translateServers(config, { from, to, names: words })
    await agree(translated, to, switches.has('yes'))
    const action = switches.has('replace') ? 'put' : 'add'
    /** Why it was not written. One server that cannot be written keeps none of the others out. */
    const write = async ({ server }: ListedServer, entry: Entry): Promise<string | undefined> => {
      try {
        checkPolicy(server, to, config)
        await putEntries([{ place, name: server.name, action, entry }], config)
        return undefined
      } catch (error) {
        if (error instanceof Problem) return error.message
        throw error
      }
    }
    const results: Result[] = []
    for (const { listed, entry, why: before, lost } of translated) {
      const why = before ?? (await write(listed, entry!))
      results.push({
        name: plain(listed.server.name),
        imported: why === undefined,
        why: why === undefined ? undefined : plain(why),
        lost: lost.map(plain),
      })
    }
    if (switches.has('json')) print(JSON.stringify(results))
    else {
      if (results.length === 0) print(`${dialects[from].title} has no servers to import.`)
      for (const { name, why, lost } of results) {
        print(why === undefined ? `${name} is in ${plain(place.file)}` : `${name} was left out: ${why}`)
        for (const what of lost) note(`  ${name}: lost: ${what}`)
      }
    }
    return results.every(({ imported }) => imported) ? 0 : 1
  },
}

/** What became of one server. */
interface Result {
  readonly name: string
  readonly imported: boolean
  readonly why: string | undefined
  readonly lost: readonly string[]
}

/** Commands that a host will start are shown in full before any is written. */
async function agree(translated: readonly Translated[], to: Host, isAgreed: boolean): Promise<void> {
  const commands = translated.filter(
    ({ entry, listed }) => entry !== undefined && listed.server.transport === 'stdio',
  )
  for (const { listed } of commands) {
    const { command = '', args = [], env = {} } = listed.server
    note(showWholeCommand(dialects[to].title, [command, ...args], Object.keys(env)))
    note('')
  }
  if (commands.length > 0 && !isAgreed)
    await askYes(`Import ${commands.length === 1 ? 'this command' : 'these commands'}?`)
}
