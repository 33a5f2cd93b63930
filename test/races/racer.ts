import { openStore, type Store } from '@warder/store'
import { type Call, makeCall } from './call.ts'

/** What `openStore` takes. */
export type Place = Parameters<typeof openStore>[0]

/** One process of a race: told what to call and when, it answers what came of it. */
export interface Task {
  readonly place: Place
  /** Opening the database is part of the race. */
  readonly opensLate?: boolean
  /** Each call waits for the one before. */
  readonly inOrder?: boolean
  readonly calls: readonly Call[]
}

let store: Store | undefined
let opened: string | undefined

async function open(place: Place): Promise<void> {
  const name = JSON.stringify(place)
  if (opened === name) return
  await store?.close()
  store = await openStore(place)
  opened = name
}

/** A call that throws is an outcome too, in words. */
const makeOutcome = (on: Store, call: Call): Promise<unknown> =>
  makeCall(on, call).catch((error: unknown) => `threw ${String(error)}`)

async function makeCalls(on: Store, { calls, inOrder }: Task): Promise<unknown[]> {
  if (!inOrder) return Promise.all(calls.map((call) => makeOutcome(on, call)))
  const outcomes = []
  for (const call of calls) outcomes.push(await makeOutcome(on, call))
  return outcomes
}

type Order =
  | { readonly kind: 'prepare'; readonly task: Task }
  | { readonly kind: 'go'; readonly at: number }
  | { readonly kind: 'end' }

let task: Task | undefined

async function obey(order: Order): Promise<unknown> {
  if (order.kind === 'prepare') {
    task = order.task
    if (!task.opensLate) await open(task.place)
    return 'prepared'
  }
  if (order.kind === 'go' && task) {
    while (performance.timeOrigin + performance.now() < order.at);
    await open(task.place)
    return store && (await makeCalls(store, task))
  }
  await store?.close()
  return process.disconnect()
}

process.on('message', (order: Order) => {
  obey(order).then(
    (answer) => process.connected && process.send?.({ answer }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  )
})
