import { existsSync } from 'node:fs'
import { openStore, type Store } from '@warder/store'
import type { Input, Option } from './command.ts'
import { type DataDirectory, defaultDataPath, openExistingDataDirectory } from './data-directory.ts'
import { Problem } from './problem.ts'
import { readPolicyFile } from './protect/load-policy.ts'

/** How a command that works on the state of a server finds it. */
export const dataOptions: Readonly<Record<string, Option>> = {
  data: { value: 'DIR', says: 'State directory (default: the one of the server that the policy file names)' },
  policy: { value: 'FILE', says: 'Policy file (default: warder.yaml)' },
}

/** The state directory that `--data` or the policy file names; it must exist. */
export function findDataDirectory(input: Input): DataDirectory {
  const given = input.options['data']
  if (given !== undefined) return openExistingDataDirectory(given)
  const file = input.options['policy'] ?? 'warder.yaml'
  if (!existsSync(file))
    throw new Problem(
      `there is no ${file} here. Run this where warder protect runs, or name its state by --data.`,
      2,
    )
  const names = [...readPolicyFile(file).servers.keys()]
  if (names.length !== 1 || names[0] === undefined)
    throw new Problem(`${file} names several servers: say whose state by --data.`, 2)
  return openExistingDataDirectory(defaultDataPath(names[0]))
}

/** Opens the store for one piece of work and closes it again. */
export async function withStore(input: Input, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await openStore({ file: findDataDirectory(input).database })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
