import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Call } from './call.ts'
import type { Place, Task } from './racer.ts'

export interface Racers {
  /** Runs the tasks at the same moment, one in each process; answers what each call came to, by process. */
  race(tasks: readonly Task[]): Promise<unknown[][]>
  stop(): Promise<void>
}

/** Starts real processes that wait for their tasks. */
export function startRacers(count: number): Racers {
  const children = Array.from({ length: count }, () =>
    fork(new URL('racer.ts', import.meta.url), {
      execArgv: ['--conditions=@warder/source'],
      serialization: 'advanced',
    }),
  )
  return {
    async race(tasks) {
      await Promise.all(tasks.map((task, index) => ask(children[index]!, { kind: 'prepare', task })))
      const at = performance.timeOrigin + performance.now() + 5
      const answers = tasks.map((_, index) => ask(children[index]!, { kind: 'go', at }))
      return (await Promise.all(answers)) as unknown[][]
    },
    async stop() {
      for (const child of children) {
        const ended = once(child, 'exit')
        child.send({ kind: 'end' })
        await ended
      }
    },
  }
}

/** The same database for everybody, and for each process its calls. */
export function tasksFor(
  place: Place,
  calls: readonly (readonly Call[])[],
  how: Pick<Task, 'opensLate' | 'inOrder'> = {},
): Task[] {
  return calls.map((own) => ({ place, calls: own, ...how }))
}

async function ask(child: ChildProcess, order: object): Promise<unknown> {
  const answered = once(child, 'message')
  child.send(order)
  const [message] = (await answered) as [{ answer?: unknown; failure?: string }]
  if (message.failure !== undefined) throw new Error(`a racer failed: ${message.failure}`)
  return message.answer
}
