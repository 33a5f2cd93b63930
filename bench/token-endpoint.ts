import type { Issuer } from './issuers/issuer.ts'
import { openPerson, type Person } from './issuers/person.ts'
import { startPeer } from './issuers/start-peer.ts'
import { startWarder } from './issuers/start-warder.ts'
import { type Bench, compare, type Row, type Settings, type Target } from './measure/bench.ts'
import { type Load, putLoad } from './measure/load.ts'

const connections = 16

const flows = [
  { name: 'refresh', run: (person: Person) => person.refresh },
  { name: 'code flow', run: (person: Person) => person.signInAndRedeem },
] as const

type FlowName = (typeof flows)[number]['name']

const targets: Readonly<Record<string, Readonly<Record<FlowName, Target>>>> = {
  'oidc-provider': { refresh: { atLeast: 1.5 }, 'code flow': { atLeast: 2 } },
}

interface Opened {
  readonly issuer: Issuer
  readonly people: readonly Person[]
  readonly measured: Readonly<Record<FlowName, Load[]>>
}

/**
 * Every server has a process and a database file of its own, the load comes from this process. All commit at
 * `synchronous = FULL`. No client_credentials: Warder has no confidential clients yet.
 */
export default {
  name: 'token-endpoint',
  question: 'How many refreshes and code flows a second does the authorization server answer?',
  needsPeers: true,
  async rows(settings): Promise<readonly Row[]> {
    const opened: Opened[] = []
    try {
      for (const start of [startWarder, peer('floor'), peer('oidc-provider'), peer('better-auth')]) {
        const issuer = await start()
        const people: Person[] = []
        opened.push({ issuer, people, measured: { refresh: [], 'code flow': [] } })
        for (let place = 0; place < connections; place += 1) people.push(await signedIn(issuer))
      }
      await measure(opened, settings)
    } finally {
      for (const { issuer, people } of opened) {
        await Promise.all(people.map((person) => person.close()))
        await issuer.stop()
      }
    }
    const [ours, ...others] = opened
    return ours === undefined ? [] : flows.flatMap(({ name }) => rowsOf(name, ours, others))
  },
} satisfies Bench

const peer = (program: Parameters<typeof startPeer>[0]) => () => startPeer(program)

/** Once around, so that consent is given and the caches of the server are warm. */
async function signedIn(issuer: Issuer): Promise<Person> {
  const person = await openPerson(issuer)
  await person.signInAndRedeem()
  return person
}

async function measure(opened: readonly Opened[], { rounds, seconds, say }: Settings): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, run } of flows) {
      for (const { issuer, people, measured } of opened) {
        say(`${name}, ${issuer.name}, round ${round} of ${rounds}`)
        const load = await putLoad(issuer.child, people.map(run), round === 0 ? 1 : seconds)
        // The first one warms the compiler up.
        if (round > 0) measured[name].push(load)
      }
    }
  }
}

function rowsOf(flow: FlowName, ours: Opened, others: readonly Opened[]): Row[] {
  return others.flatMap(({ issuer, measured }) => {
    const pair = (what: string, unit: string, of: (load: Load) => number, target?: Target): Row =>
      compare({
        what: `${flow}, ${what}`,
        unit,
        ours: ours.measured[flow].map(of),
        beside: { name: issuer.name, rounds: measured[flow].map(of) },
        ...(target === undefined ? {} : { target }),
      })
    return [
      pair('throughput', '1/s', ({ perSecond }) => perSecond, targets[issuer.name]?.[flow]),
      pair('CPU of the server', 'µs', ({ cpu }) => cpu),
    ]
  })
}
