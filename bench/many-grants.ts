import { filledCode, filledSecrets, filledToken, fillGrants, renewCodes } from './issuers/fill-grants.ts'
import { openPerson, type Person } from './issuers/person.ts'
import { startWarder, type WarderIssuer } from './issuers/start-warder.ts'
import { type Bench, compare, percentile, type Row, type Settings } from './measure/bench.ts'
import { type Load, putLoad } from './measure/load.ts'

const few = 1_000
const many = 1_000_000
/** So few that requests do not wait for each other, and the wait of one is that of its own work. */
const connections = 2
/** So short that the tokens and codes suffice for ten rounds on a fast machine. */
const secondsOfLoad = 1

const flows = {
  refresh: (person: Person, number: number) => person.refreshWith(filledToken(number)),
  'code redemption': (person: Person, number: number) => person.redeem(filledCode(number)),
}
type Flow = keyof typeof flows
const flowNames = Object.keys(flows) as Flow[]

interface Filled {
  readonly name: string
  readonly warder: WarderIssuer
  readonly people: readonly Person[]
  readonly measured: Readonly<Record<Flow, Load[]>>
  /** Milliseconds of each sweep. */
  readonly sweeps: number[]
}

/** Two servers, each with a database file of its own; a token or code is used once, so each look-up is a new one. */
export default {
  name: 'many-grants',
  question: 'Do refresh and code redemption stay as fast with a million grants?',
  async rows(settings): Promise<readonly Row[]> {
    const opened: Filled[] = []
    try {
      for (const count of [many, few]) {
        settings.say(`writing ${count} grants`)
        opened.push(await open(count))
      }
      const [big, small] = opened
      if (big === undefined || small === undefined) return []
      await measure(opened, settings)
      return rowsOf(big, small)
    } finally {
      for (const { warder, people } of opened) {
        await Promise.all(people.map((person) => person.close()))
        await warder.stop()
      }
    }
  },
} satisfies Bench

async function open(count: number): Promise<Filled> {
  const warder = await startWarder({ fill: (file, known) => fillGrants(file, { ...known, count }) })
  const people: Person[] = []
  for (let place = 0; place < connections; place += 1) people.push(await openPerson(warder))
  const measured = { refresh: [], 'code redemption': [] }
  return { name: `${count.toLocaleString('en')} grants`, warder, people, measured, sweeps: [] }
}

async function measure(opened: readonly Filled[], { rounds, say }: Settings): Promise<void> {
  const used = new Map<unknown, number>()
  for (let round = 0; round <= rounds; round += 1) {
    for (const flow of flowNames) {
      for (const { name, warder, people, measured } of opened) {
        say(`${flow}, ${name}, round ${round} of ${rounds}`)
        const next = (): number => {
          const number = (used.get(measured[flow]) ?? 0) + 1
          if (number > filledSecrets) throw new Error('all are used up: measure shorter')
          used.set(measured[flow], number)
          return number
        }
        renewCodes(warder.database)
        const workers = people.map((person) => () => flows[flow](person, next()))
        const load = await putLoad(warder.child, workers, secondsOfLoad)
        // The first one warms the compiler up.
        if (round > 0) measured[flow].push(load)
      }
    }
    for (const { warder, sweeps } of opened) {
      const start = performance.now()
      await warder.store.sweep(Date.now())
      sweeps.push(performance.now() - start)
    }
  }
}

function rowsOf(big: Filled, small: Filled): Row[] {
  const latency = (flow: Flow, part: number, target?: { readonly atMost: number }): Row => {
    const of = ({ latencies }: Load): number => percentile(latencies, part)
    return compare({
      what: `${flow}, p${part * 100}`,
      unit: 'ms',
      ours: big.measured[flow].map(of),
      beside: { name: small.name, rounds: small.measured[flow].map(of) },
      ...(target === undefined ? {} : { target }),
    })
  }
  return [
    ...flowNames.flatMap((flow) => [latency(flow, 0.5), latency(flow, 0.99, { atMost: 1.3 })]),
    compare({
      what: 'a sweep that finds nothing',
      unit: 'ms',
      ours: big.sweeps,
      beside: { name: small.name, rounds: small.sweeps },
    }),
  ]
}
