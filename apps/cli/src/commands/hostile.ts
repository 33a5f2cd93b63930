import type { Command, Input } from '../command.ts'
import { type HostileServer, startHostileServer } from '../hostile/hostile-server.ts'
import { judge, type Verdict } from '../hostile/judge.ts'
import { runClient } from '../hostile/run-client.ts'
import type { Sighting } from '../hostile/sighting.ts'
import type { Trap } from '../hostile/trap.ts'
import { traps } from '../hostile/traps/index.ts'
import { note, paint, plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'
import { untilSignal } from '../protect/until-signal.ts'

export const hostile: Command = {
  usage: 'hostile [TRAP…] [--port N] [--timeout SECONDS] [--json] [-- CLIENT ARGS… {url}]',
  options: {
    port: { value: 'N', says: 'Port to listen on (default: a free one)' },
    timeout: { value: 'SECONDS', says: 'With a client: the time it has for one trap (default: 30)' },
    list: { says: 'Only list the traps' },
    json: { says: 'Print one JSON object' },
  },
  examples: [
    'warder hostile                               # servers to point a client at; Ctrl-C shows the verdicts',
    'warder hostile --list',
    'warder hostile -- node my-client.js {url}     # runs a client against every trap',
    'warder hostile mix-up iss-wrong -- node my-client.js {url}',
  ],
  async run(input) {
    const chosen = chooseTraps(input.words)
    if (input.switches.has('list')) return list(chosen, input.switches.has('json'))
    const isQuiet = input.switches.has('json')
    const server = await startHostileServer({
      traps: chosen,
      port: readNumber(input, 'port', 0, 65_535),
      onSeen: input.behindDashes === undefined && !isQuiet ? sayWhatIsSeen : () => undefined,
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw new Problem(`port ${input.options['port']} is taken. Name another by --port, or none at all.`)
    })
    const end = new AbortController()
    const signalled = untilSignal().then(() => end.abort())
    try {
      if (input.behindDashes === undefined) await serve(server, chosen, signalled, isQuiet)
      else await runAll(server, chosen, input, end.signal)
      return report(server, chosen, isQuiet, input.behindDashes !== undefined)
    } finally {
      await server.stop()
    }
  },
}

function chooseTraps(words: readonly string[]): readonly Trap[] {
  const unknown = words.filter((word) => !traps.some(({ name }) => name === word))
  if (unknown.length > 0)
    throw new Problem(
      `there is no trap ${unknown.map((word) => JSON.stringify(word)).join(', ')}. See: warder hostile --list`,
      2,
    )
  return words.length === 0 ? traps : traps.filter(({ name }) => words.includes(name))
}

function readNumber({ options }: Input, name: string, fallback: number, most: number): number {
  const given = options[name]
  if (given === undefined) return fallback
  const value = Number(given)
  if (/^\d+$/.test(given) && value <= most) return value
  throw new Problem(`--${name} takes a whole number up to ${most}.`, 2)
}

function list(chosen: readonly Trap[], isJson: boolean): number {
  if (isJson)
    print(JSON.stringify(chosen.map(({ name, number, tries, safe }) => ({ name, number, tries, safe }))))
  else print(table(chosen.map(({ name, number, tries }) => [name, number, tries])))
  return 0
}

async function serve(
  server: HostileServer,
  chosen: readonly Trap[],
  signalled: Promise<unknown>,
  isQuiet: boolean,
): Promise<void> {
  if (isQuiet)
    print(JSON.stringify(chosen.map((trap) => ({ trap: trap.name, url: server.placeOf(trap).resource }))))
  else {
    print(
      'Point your client at each of these MCP servers and call the tool read_note. All but the first are traps.',
    )
    print('')
    print(table(chosen.map((trap) => [server.placeOf(trap).resource, trap.tries])))
    print('')
    print('Everybody is signed in at once, nothing here is real. Ctrl-C shows the verdicts.')
  }
  await signalled
}

function sayWhatIsSeen(trap: Trap, { what, at, method, token }: Sighting): void {
  const where = at === 'other' ? ' at the other origin' : ''
  const more = what === 'message' ? ` ${plain(method ?? '')} (token: ${token})` : ''
  note(`${trap.name}: ${what}${more}${where}`)
}

async function runAll(
  server: HostileServer,
  chosen: readonly Trap[],
  input: Input,
  signal: AbortSignal,
): Promise<void> {
  const timeoutMs = readNumber(input, 'timeout', 30, 3600) * 1000
  for (const [at, trap] of chosen.entries()) {
    if (signal.aborted) return
    note(paint('dim', `${at + 1}/${chosen.length} ${trap.name}: ${trap.tries}`))
    await runClient(input.behindDashes ?? [], server.placeOf(trap).resource, timeoutMs, signal).catch(
      (error: Error) => {
        throw new Problem(`the client cannot be started: ${error.message}`, 2)
      },
    )
  }
}

const colours: Readonly<Record<Verdict['outcome'], 'green' | 'red' | 'yellow'>> = {
  safe: 'green',
  fell: 'red',
  unseen: 'yellow',
}

/** 0: it fell for nothing that it came to; with a client command also: it came to all of them. */
function report(server: HostileServer, chosen: readonly Trap[], isJson: boolean, isWhole: boolean): number {
  const rows = chosen.map((trap) => ({ trap, ...judge(trap, server.seen(trap), server.placeOf(trap)) }))
  const fallen = rows.filter(({ outcome }) => outcome === 'fell').length
  const unseen = rows.filter(({ outcome }) => outcome === 'unseen').length
  if (isJson) {
    const verdicts = rows.map(({ trap: { name, number, tries }, outcome, why }) => ({
      name,
      number,
      tries,
      outcome,
      why,
    }))
    print(JSON.stringify({ fell: fallen, unseen, verdicts }))
  } else {
    print('')
    print(
      table(
        rows.map(({ trap: { name, number, tries }, outcome, why }) => [
          paint(colours[outcome], outcome),
          number,
          name,
          outcome === 'safe' ? tries : `${tries}: ${why}`,
        ]),
      ),
    )
    print('')
    print(summary(rows.length, fallen, unseen))
  }
  return fallen > 0 || (isWhole && unseen > 0) ? 1 : 0
}

function summary(all: number, fallen: number, unseen: number): string {
  if (unseen === all) return 'Nothing could be judged: no client came far enough.'
  const judged = `The client fell for ${fallen === 0 ? 'none' : fallen} of the ${all - unseen} servers that it came to`
  return unseen === 0 ? `${judged}.` : `${judged}; ${unseen} could not be judged.`
}
