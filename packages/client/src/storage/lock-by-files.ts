import { join } from 'node:path'
import { LockTimeout, waitForLock } from '@warder/private-files'
import { type CredentialStore, checkName } from './credential-store.ts'
import { StoreUnavailable } from './store-unavailable.ts'

/** The `locked` of a store: a lock of the operating system a name, on files in this directory. Names become file names. */
export function lockByFiles(directory: string): CredentialStore['locked'] {
  return async (name, work, { timeoutMs = 60_000 } = {}) => {
    const lock = await take(join(directory, `${checkName(name)}.lock`), timeoutMs)
    try {
      return await work()
    } finally {
      lock.release()
    }
  }
}

async function take(file: string, timeoutMs: number): ReturnType<typeof waitForLock> {
  try {
    return await waitForLock(file, { timeoutMs })
  } catch (error) {
    if (error instanceof LockTimeout) {
      throw new StoreUnavailable(
        'timeout',
        `another process of Warder keeps a credential to itself for long: ${file}`,
      )
    }
    throw new StoreUnavailable('denied', `no lock can be taken: ${(error as Error).message}`)
  }
}
