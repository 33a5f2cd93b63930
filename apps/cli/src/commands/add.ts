import { isDeepStrictEqual } from 'node:util'
import {
  dialects,
  type Host,
  type HostConfig,
  hosts,
  type ListPlace,
  loadHostConfig,
  plainValue,
  readSecretReference,
  type WritableServer,
  writeEntry,
} from '@warder/host-config'
import { askYes } from '../client/ask-yes.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { type FoundServer, findServer, ownPlaces } from '../client/find-server.ts'
import { planHelper, showCommand, trustHelper } from '../client/header-helper.ts'
import { openCredentialStore, storeOption } from '../client/open-store.ts'
import {
  bridgeServer,
  checkEntries,
  checkNoSecrets,
  checkPolicy,
  checkServerName,
  placeOf,
  putEntries,
  scopeOption,
} from '../client/put-server.ts'
import { readServerOptions, serverOptions } from '../client/read-server-options.ts'
import { keepSecret, secretOrigin } from '../client/secret-references.ts'
import { showWholeCommand } from '../client/show-command.ts'
import type { Command, Input } from '../command.ts'
import { note, plain, print } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'

export const add: Command = {
  usage: 'add NAME (URL | -- COMMAND...) [--host HOST] [--scope SCOPE] [--bridge] [OPTIONS]',
  options: {
    host: { value: 'HOST', says: `Whose list: ${hosts.join(', ')} (default: warder)`, among: hosts },
    scope: scopeOption,
    bridge: { says: 'Keep the server in Warder’s list, and let the host start warder connect NAME' },
    ...serverOptions,
    replace: { says: 'Put it in the place of the one that has this name' },
    yes: { says: 'Say yes to the command that would be shown', short: 'y' },
    store: storeOption,
    json: { says: 'Print what was written as one JSON object' },
  },
  examples: [
    'warder add tracker https://mcp.example.com/mcp',
    'warder add tracker https://mcp.example.com/mcp --host cursor --bridge',
    'warder add tracker https://mcp.example.com/mcp --oauth-scope "issues:read" --client-id abc --callback-port 8123',
    'warder add tracker https://mcp.example.com/mcp --header "Authorization: Bearer keychain://tracker" --secret-stdin',
    'warder add files --host claude-code --scope project -- npx -y some-server@1.2.3 /srv/files',
  ],
  async run(input) {
    const name = checkServerName(input.words[0] ?? '')
    const server = readServerOptions(name, input)
    const config = await loadHostConfig(ownPlaces())
    const host = (input.options['host'] ?? 'warder') as Host
    const steps = planSteps(server, host, input, config)
    checkNoSecrets(server)
    for (const step of steps) checkPolicy(step.server, step.place.host, config)
    const action = input.switches.has('replace') ? 'put' : 'add'
    const changes = steps.map(({ place, entry }) => ({ place, name, action, entry }) as const)
    // Whatever stands against one of them is said before anything is kept or written.
    checkEntries(changes, config)
    await agree(server, steps, input)
    await withClientProblems(() => keepSecrets(server, input))
    await putEntries(changes, config)
    if (server.headersHelper !== undefined && isInOwnList(steps)) await trust(name)
    report(name, server, steps, input)
    return 0
  },
}

/** One entry that will be written. */
interface Step {
  readonly place: ListPlace
  readonly server: WritableServer
  readonly entry: NonNullable<ReturnType<typeof writeEntry>['entry']>
}

/**
 * The entries to write; a Problem where a host's words cannot say all of it, since a pin that is lost asks
 * for more.
 */
function planSteps(
  server: WritableServer,
  host: Host,
  { options, switches }: Input,
  config: HostConfig,
): readonly Step[] {
  const own = { place: placeOf('warder', undefined, config), server }
  const asked = { place: placeOf(host, options['scope'], config), server }
  if (!switches.has('bridge')) return [makeStep(asked)]
  if (host === 'warder') throw new Problem('--bridge is for the list of a host: name it by --host.', 2)
  if (server.transport === 'stdio')
    throw new Problem('--bridge is for servers with a URL; a host starts a command itself.', 2)
  const bridge = makeStep({ ...asked, server: bridgeServer(server.name) })
  const step = makeStep(own)
  // Bridged into one host already: a second one gets its entry beside it.
  return !switches.has('replace') && isThere(step, config) ? [bridge] : [step, bridge]
}

function isThere({ server: { name }, entry }: Step, { servers }: HostConfig): boolean {
  const there = servers.find(({ name: its, source }) => source.host === 'warder' && its === name)
  return there !== undefined && isDeepStrictEqual(JSON.parse(JSON.stringify(plainValue(there.node))), entry)
}

function makeStep({ place, server }: Omit<Step, 'entry'>): Step {
  const { title, signsIn } = dialects[place.host]
  if (place.host === 'warder' && server.transport === 'stdio')
    throw new Problem('a command is started by a host: say by which, --host HOST.', 2)
  const { entry, lost } = writeEntry(server, 'shell', place.host)
  if (entry !== undefined && lost.length === 0) return { place, server, entry }
  const hint =
    signsIn && entry !== undefined
      ? 'Leave that out, or add --bridge, which keeps all of it.'
      : 'Add --bridge: then Warder speaks to it.'
  throw new Problem(`the list of ${title} cannot say it all: ${lost.map(plain).join('; ')}. ${hint}`, 2)
}

/** Whatever a host will start is shown in full, and needs a yes (SEP-1024). */
async function agree(server: WritableServer, steps: readonly Step[], { switches }: Input): Promise<void> {
  const commands = steps.filter((step) => step.server.transport === 'stdio')
  for (const step of commands) {
    const { command = '', args = [], env = {} } = step.server
    note(showWholeCommand(dialects[step.place.host].title, [command, ...args], Object.keys(env)))
  }
  const helper = server.headersHelper
  if (helper !== undefined && typeof helper !== 'string') note(showWholeCommand('Warder', helper, []))
  if ((commands.length > 0 || helper !== undefined) && !switches.has('yes'))
    await askYes(`Add it to ${steps.map(({ place }) => plain(place.file)).join(' and ')}?`)
}

async function keepSecrets(server: WritableServer, { switches, options }: Input): Promise<void> {
  const references = Object.entries(server.headers ?? {}).flatMap(([header, value]) => {
    const reference = readSecretReference(value)
    return reference === undefined ? [] : [{ header, ...reference }]
  })
  const isGiven = switches.has('secret-stdin')
  const [first] = references
  if (first === undefined) {
    if (isGiven)
      throw new Problem(
        '--secret-stdin needs a header that refers to it: --header "X-Key: keychain://NAME"',
        2,
      )
    return
  }
  const names = new Set(references.map(({ name }) => name))
  if (isGiven && names.size > 1)
    throw new Problem('--secret-stdin gives one secret, and the headers refer to several.', 2)
  const store = await openCredentialStore(options['store'], { mayAsk: true })
  const { origin } = new URL(server.url!)
  const before = await secretOrigin(store, first.name)
  if (isGiven && before !== undefined && before !== origin && !switches.has('replace'))
    throw new Problem(
      `keychain://${first.name} is kept for ${plain(before)}. Choose another name, or --replace it.`,
    )
  if (!isGiven) {
    for (const name of names)
      if ((await secretOrigin(store, name)) === undefined)
        note(`There is no secret keychain://${name} yet: add it by --replace and --secret-stdin.`)
    return
  }
  const value = (await readPassword(`What keychain://${first.name} stands for: `)).trim()
  if (value === '') throw new Problem('standard input had no secret.', 2)
  if (first.header.toLowerCase() === 'authorization' && first.prefix === '' && !value.includes(' '))
    throw new Problem(
      `an Authorization header begins with a word such as Bearer: --header "Authorization: Bearer keychain://${first.name}"`,
      2,
    )
  await keepSecret(store, first.name, value, server.url!)
}

async function trust(name: string): Promise<void> {
  const found: FoundServer = await findServer(name, { host: 'warder' })
  const call = await planHelper(found)
  if (call === undefined) return
  trustHelper(found, call)
  note(`Warder will run ${showCommand(call.argv)} for it, as long as it stays as it is.`)
}

function report(name: string, server: WritableServer, steps: readonly Step[], { switches }: Input): void {
  const written = steps.map(({ place }) => ({ host: place.host, scope: place.scope, file: place.file }))
  if (switches.has('json')) {
    print(JSON.stringify({ name, transport: server.transport, written }))
    return
  }
  for (const { place } of steps)
    print(`${plain(name)} is in the list of ${dialects[place.host].title}: ${plain(place.file)}`)
  if (isInOwnList(steps) && server.transport !== 'stdio' && server.headers === undefined)
    note(`Sign in: warder login ${name}`)
}

function isInOwnList(steps: readonly Step[]): boolean {
  return steps.some(({ place }) => place.host === 'warder')
}
