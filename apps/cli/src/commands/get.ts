import {
  dialects,
  type EffectiveServer,
  type HostConfig,
  hosts,
  loadHostConfig,
  resolveServer,
  whereIs,
} from '@warder/host-config'
import { askYes } from '../client/ask-yes.ts'
import { findServer, ownPlaces } from '../client/find-server.ts'
import { planHelper, trustHelper } from '../client/header-helper.ts'
import { showWholeCommand } from '../client/show-command.ts'
import { showEndpoint, showServer } from '../client/show-server.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, paint, plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'
import { statusWords, toJson } from './list.ts'

export const get: Command = {
  usage: 'get NAME [--host HOST] [--json]',
  options: {
    host: { value: 'HOST', says: `Only in this one’s lists: ${hosts.join(', ')}`, among: hosts },
    'trust-headers-helper': { says: 'Let Warder run its headers helper, as it is now' },
    yes: { says: 'Say yes to the command that would be shown', short: 'y' },
    json: { says: 'Print one JSON array: for each host the server that counts, and its trail' },
  },
  examples: ['warder get tracker', 'warder get tracker --host claude-code --json'],
  async run(input) {
    const name = oneWord(input, 'say which server: warder get NAME. See: warder list')
    if (input.switches.has('trust-headers-helper')) return trust(name, input)
    const config = await loadHostConfig(ownPlaces())
    const found = hosts
      .filter((host) => input.options['host'] === undefined || host === input.options['host'])
      .map((host) => resolveServer(config, name, host))
      .filter((one) => one !== undefined)
    if (found.length === 0) throw new Problem(`no list of servers has ${plain(name)}. See: warder list`)
    if (input.switches.has('json')) {
      print(
        JSON.stringify(
          found.map((one) => ({
            ...toJson(one),
            warnings: warningsOf(one, config),
            trail: one.trail.map(toJson),
          })),
        ),
      )
      return 0
    }
    for (const one of found) show(one, config)
    return 0
  },
}

function show(found: EffectiveServer, config: HostConfig): void {
  const shown = showServer(found.server)
  const { status, why, trail } = found
  const rows: (readonly [string, string] | undefined)[] = [
    ['status', statusWords[status] + (why === '' ? '' : `: ${plain(why)}`)],
    ['transport', shown.transport],
    ['where', showEndpoint(shown)],
    ...Object.entries(shown.headers ?? {}).map(([name, value]) => ['header', `${name}: ${value}`] as const),
    ...Object.entries(shown.env ?? {}).map(([name, value]) => ['variable', `${name}=${value}`] as const),
    shown.headersHelper === undefined ? undefined : ['headers helper', shown.headersHelper],
    shown.oauth?.clientId === undefined ? undefined : ['client id', shown.oauth.clientId],
    shown.oauth?.callbackPort === undefined ? undefined : ['callback port', String(shown.oauth.callbackPort)],
    shown.oauth?.scopes === undefined ? undefined : ['scopes', shown.oauth.scopes.join(' ')],
    shown.oauth?.metadataUrl === undefined ? undefined : ['metadata', shown.oauth.metadataUrl],
    ['written in', `${shown.file}:${shown.line} (${shown.scope} scope)`],
  ]
  print(paint('bold', `${shown.name} in ${dialects[found.server.source.host].title}`))
  print(table(rows.filter((row) => row !== undefined)))
  for (const other of trail)
    if (other.server !== found.server)
      print(
        `  ${statusWords[other.status]}: ${plain(whereIs(other.server))}${other.why === '' ? '' : `: ${plain(other.why)}`}`,
      )
  for (const warning of warningsOf(found, config)) note(`  ${warning}`)
}

function warningsOf({ server, expanded }: EffectiveServer, config: HostConfig): readonly string[] {
  const own = config.findings.filter(
    (finding) => finding.server === server.name && finding.place.file === server.source.file,
  )
  return [...own, ...expanded.findings].map(({ place, message }) =>
    plain(`${place.file}:${place.line}: ${message}`),
  )
}

async function trust(name: string, { options, switches }: Input): Promise<number> {
  const host = hosts.find((one) => one === options['host'])
  const found = await findServer(name, host === undefined ? {} : { host })
  const call = await planHelper(found)
  if (call === undefined) throw new Problem(`${plain(name)} has no headers helper.`)
  note(showWholeCommand('Warder', call.argv, []))
  note(`What it prints is sent to ${plain(found.server)}`)
  if (!switches.has('yes')) await askYes('Trust it as it is now?')
  trustHelper(found, call)
  print(`Warder will run the headers helper of ${plain(name)}, as long as it stays as it is.`)
  return 0
}
