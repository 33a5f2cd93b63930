import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readPrivateFile, writePrivateFile } from '@warder/private-files'
import { checkName } from './credential-store.ts'
import { StoreUnavailable } from './store-unavailable.ts'

/** Texts by name, one file each, that only the user can read. */
export interface RecordFiles {
  read(name: string): string | undefined
  write(name: string, text: string): void
  remove(name: string): void
  list(): readonly string[]
}

/** Files `NAME.EXTENSION` in a directory (0700, made when missing). Whatever is wrong with them is a `StoreUnavailable`. */
export function openRecordFiles(directory: string, extension: string): RecordFiles {
  const fileOf = (name: string): string => join(directory, `${checkName(name)}.${extension}`)
  guarded(() => mkdirSync(directory, { recursive: true, mode: 0o700 }))
  return {
    read: (name) => guarded(() => readPrivateFile(fileOf(name))),
    write: (name, text) => guarded(() => writePrivateFile(fileOf(name), text)),
    remove: (name) => guarded(() => rmSync(fileOf(name), { force: true })),
    list: () =>
      guarded(() => readdirSync(directory))
        .filter((file) => file.endsWith(`.${extension}`) && !file.startsWith('.'))
        .map((file) => file.slice(0, -extension.length - 1))
        .sort(),
  }
}

/** The words of the file system name paths and modes, never contents. */
function guarded<Result>(act: () => Result): Result {
  try {
    return act()
  } catch (error) {
    if (error instanceof TypeError && !('code' in error)) throw error
    throw new StoreUnavailable('denied', (error as Error).message)
  }
}
