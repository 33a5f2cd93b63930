import { join } from 'node:path'
import { clientDirectory } from '@warder/client'
import { type HeldLock, LockTimeout, waitForLock } from '@warder/private-files'
import { Problem } from '../problem.ts'

/** Two commands that change lists at the same moment, one after the other: else one change would be lost. */
export async function holdLists<T>(change: () => T): Promise<T> {
  const lock = await takeLock()
  try {
    return change()
  } finally {
    lock.release()
  }
}

async function takeLock(): Promise<HeldLock> {
  try {
    return await waitForLock(join(clientDirectory(process.env), 'lists.lock'), { timeoutMs: 10_000 })
  } catch (error) {
    if (error instanceof LockTimeout)
      throw new Problem('another warder command is changing lists of servers; try again when it is done.')
    throw new Problem(`Warder cannot keep others from changing the same list: ${(error as Error).message}`)
  }
}
