import {
  dialects,
  type Entry,
  findSecrets,
  type Host,
  type HostConfig,
  isPlainName,
  type ListedServer,
  listServers,
  unreadFields,
  writeEntry,
} from '@warder/host-config'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'

/** A server of one host in the words of another; or why it has none there. */
export interface Translated {
  readonly listed: ListedServer
  readonly entry: Entry | undefined
  /** What the other host cannot say, and what keeps the server out altogether. In words, without values. */
  readonly lost: readonly string[]
  readonly why: string | undefined
}

/** The servers of a host that count there, in the words of another. Those that are named must be there. */
export function translateServers(
  config: HostConfig,
  { from, to, names }: { readonly from: Host; readonly to: Host; readonly names: readonly string[] },
): readonly Translated[] {
  if (from === to) throw new Problem(`these are the same: ${from}.`, 2)
  const there = listServers(config).filter(
    ({ server, status }) => server.source.host === from && status !== 'overridden',
  )
  const missing = names.find((name) => !there.some(({ server }) => server.name === name))
  if (missing !== undefined)
    throw new Problem(
      `${dialects[from].title} has no server ${plain(missing)}. See: warder list --host ${from}`,
    )
  return there
    .filter(({ server }) => names.length === 0 || names.includes(server.name))
    .map((listed) => translate(listed, to, names.length > 0))
}

/** Statuses that say only that a host would not use it yet; taking it over is the user's own word. */
const usable: readonly ListedServer['status'][] = ['active', 'pending', 'disabled']

function translate(listed: ListedServer, to: Host, isNamed: boolean): Translated {
  const { server, status, why } = listed
  const { expansion } = dialects[server.source.host]
  const no = (words: string, lost: readonly string[] = []): Translated => ({
    listed,
    entry: undefined,
    lost,
    why: words,
  })
  if (!usable.includes(status)) return no(`it is not used there: ${why}`)
  if (status === 'disabled' && !isNamed)
    return no(`it is switched off there; to take it over all the same, name it: ${server.name}`)
  if (!isPlainName(server.name)) return no('its name has other characters than letters, digits, _ and -')
  const secrets = findSecrets(server, expansion)
  if (secrets.length > 0)
    return no(`${secrets.join(' and ')} looks like a secret, which Warder writes into no file`)
  const written = writeEntry(server, expansion, to)
  const { entry } = written
  const lost = [
    ...written.lost,
    ...unreadFields(server).map((key) => `the field ${key} (Warder does not know what it means elsewhere)`),
  ]
  return entry === undefined
    ? no(`${dialects[to].title} cannot say it`, lost)
    : { listed, entry, lost, why: undefined }
}
