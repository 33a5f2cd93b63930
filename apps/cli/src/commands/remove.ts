import {
  bridgeTargets,
  dialects,
  type Host,
  type HostConfig,
  hosts,
  listPlace,
  loadHostConfig,
  type ServerConfig,
} from '@warder/host-config'
import { ownPlaces } from '../client/find-server.ts'
import { placeOf, putEntries, scopeOption, writableScopes } from '../client/put-server.ts'
import { showUrl } from '../client/show-url.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'

export const remove: Command = {
  usage: 'remove NAME [--host HOST] [--scope SCOPE] [--json]',
  options: {
    host: { value: 'HOST', says: `From whose list: ${hosts.join(', ')}`, among: hosts },
    scope: scopeOption,
    json: { says: 'Print what was removed as one JSON object' },
  },
  examples: ['warder remove tracker', 'warder remove tracker --host claude-code --scope project'],
  async run(input) {
    const name = oneWord(input, 'say which server: warder remove NAME. See: warder list')
    const config = await loadHostConfig(ownPlaces())
    const { host, scope } = chooseOne(name, input, config)
    const place = placeOf(host, scope, config)
    await putEntries([{ place, name, action: 'remove' }], config)
    if (input.switches.has('json'))
      print(JSON.stringify({ name, host, scope: place.scope, file: place.file }))
    else print(`${plain(name)} is no longer in the list of ${dialects[host].title}: ${plain(place.file)}`)
    if (host === 'warder') noteRest(name, config)
    return 0
  },
}

/** The one entry that is meant; where there are several, a Problem that lists them. */
function chooseOne(
  name: string,
  { options }: Input,
  config: HostConfig,
): { readonly host: Host; readonly scope: string | undefined } {
  const fits = ({ source: { host, scope }, name: its }: ServerConfig): boolean =>
    its === name &&
    (options['host'] ?? host) === host &&
    (options['scope'] ?? scope) === scope &&
    writableScopes.some((one) => one === scope) &&
    listPlace(host, scope, config.places) !== undefined
  const found = config.servers.filter(fits)
  const [first] = found
  if (first === undefined)
    throw new Problem(`no list that Warder may change has ${plain(name)}. See: warder list`)
  if (found.length === 1) return { host: first.source.host, scope: first.source.scope }
  const choices = found.map(({ source: { host, scope } }) => `--host ${host} --scope ${scope}`)
  throw new Problem(
    `${plain(name)} is in several lists. Say which: ${[...new Set(choices)].join(', or ')}`,
    2,
  )
}

function noteRest(name: string, config: HostConfig): void {
  for (const server of config.servers)
    if (bridgeTargets(server)?.includes(name) === true)
      note(
        `${dialects[server.source.host].title} still starts warder connect ${plain(name)}: ${plain(server.source.file)}:${server.source.line}`,
      )
  const url = config.servers.find((server) => server.source.host === 'warder' && server.name === name)?.url
  if (url !== undefined) note(`A sign-in there is kept until: warder logout ${showUrl(url)}`)
}
