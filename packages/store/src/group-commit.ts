import { setImmediate } from 'node:timers'
import type { Database } from 'better-sqlite3'

/** Runs something that waits for nothing in a transaction of its own, and answers once that is on the disk. */
export interface GroupCommit {
  <Result>(work: () => Result): Promise<Result>
  /** Runs what is still waiting. */
  finish(): void
}

interface Waiting {
  readonly work: () => unknown
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

/** One commit takes no more than this, so that another process need not wait long for the write lock. */
const mostAtOnce = 64

/**
 * Lets work that comes in the same turn of the event loop share one commit, and so one wait for the disk. Each stays atomic: it
 * runs under a savepoint, and a throw undoes that much and nothing else. Nobody is answered before the commit; when the
 * commit fails, all have failed.
 */
export function makeGroupCommit(database: Database): GroupCommit {
  const begin = database.prepare('begin immediate')
  const commit = database.prepare('commit')
  const rollBack = database.prepare('rollback')
  const save = database.prepare('savepoint work')
  const release = database.prepare('release work')
  const rollBackWork = database.prepare('rollback to work')
  const waiting: Waiting[] = []

  const runOne = ({ work, resolve, reject }: Waiting): (() => void) => {
    save.run()
    try {
      const result = work()
      release.run()
      return () => resolve(result)
    } catch (error) {
      // Some failures, a full disk for one, end the whole transaction: then there is nothing to go back to.
      if (!database.inTransaction) throw error
      rollBackWork.run()
      release.run()
      return () => reject(error)
    }
  }

  const runGroup = (group: readonly Waiting[]): void => {
    let answers: readonly (() => void)[]
    try {
      begin.run()
      answers = group.map(runOne)
      commit.run()
    } catch (error) {
      if (database.inTransaction) rollBack.run()
      answers = group.map(
        ({ reject }) =>
          () =>
            reject(error),
      )
    }
    for (const answer of answers) answer()
  }

  const runWaiting = (): void => {
    if (waiting.length > mostAtOnce) setImmediate(runWaiting)
    if (waiting.length > 0) runGroup(waiting.splice(0, mostAtOnce))
  }

  const add = <Result>(work: () => Result): Promise<Result> =>
    new Promise<Result>((resolve, reject) => {
      if (waiting.length === 0) setImmediate(runWaiting)
      waiting.push({ work, resolve: resolve as (result: unknown) => void, reject })
    })
  return Object.assign(add, {
    finish() {
      while (waiting.length > 0) runWaiting()
    },
  })
}
