import { openStore, type Store } from '@warder/store'
import { type Call, makeCall } from './call.ts'

/** One process of a race: told what to call and when, it answers what came of it. */
export interface Task {
  readonly file: string
  /** Opening the file is part of the race. */
  readonly opensLate?: boolean
  readonly calls: readonly Call[]
}

let store: Store | undefined
let file: string | undefined

async function open(wanted: string): Promise<void> {
  if (file === wanted) return
  await store?.close()
  store = await openStore({ file: wanted })
  file = wanted
}

type Order =
  | { readonly kind: 'prepare'; readonly task: Task }
  | { readonly kind: 'go'; readonly at: number }
  | { readonly kind: 'end' }

let task: Task | undefined

async function obey(order: Order): Promise<unknown> {
  if (order.kind === 'prepare') {
    task = order.task
    if (!task.opensLate) await open(task.file)
    return 'prepared'
  }
  if (order.kind === 'go' && task) {
    while (performance.timeOrigin + performance.now() < order.at);
    await open(task.file)
    const opened = store
    return opened && (await Promise.all(task.calls.map((call) => makeCall(opened, call))))
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
