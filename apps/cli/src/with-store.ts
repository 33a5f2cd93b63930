import { existsSync } from 'node:fs'
import { openStore, type Store } from '@warder/store'
import type { Input, Option } from './command.ts'
import { type DataDirectory, defaultDataPath, openExistingDataDirectory } from './data-directory.ts'
import { databaseOption, openDatabase, readDatabase } from './database.ts'
import { Problem } from './problem.ts'
import { readPolicyFile } from './protect/load-policy.ts'

/** How a command finds the directory of a server. */
export const dataOptions: Readonly<Record<string, Option>> = {
  data: { value: 'DIR', says: 'State directory (default: that of the first server in the policy file)' },
  policy: { value: 'FILE', says: 'Policy file (default: warder.yaml)' },
  name: { value: 'NAME', says: 'The server, where warder protect was started with --name' },
}

/** How usage lines name them. */
export const dataUsage = '[--data DIR | --policy FILE [--name NAME]]'

/** How a command that works on the state of a server finds it. */
export const stateOptions: Readonly<Record<string, Option>> = {
  database: databaseOption,
  ...dataOptions,
}
export const stateUsage = '[--database URL | --data DIR | --policy FILE [--name NAME]]'

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
  const wanted = input.options['name'] ?? names[0] ?? ''
  if (!names.includes(wanted))
    throw new Problem(`${file} names no server ${JSON.stringify(wanted)}, but: ${names.join(', ')}.`, 2)
  return openExistingDataDirectory(defaultDataPath(wanted))
}

/** Opens the store for one piece of work and closes it again. */
export async function withStore(input: Input, work: (store: Store) => Promise<number>): Promise<number> {
  const store = await openState(input)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** A database wins over a directory: where there is one, a node's directory has only its log. */
async function openState(input: Input): Promise<Store> {
  const database = readDatabase(input)
  if (database !== undefined) return openDatabase(database)
  const { path, database: file } = findDataDirectory(input)
  if (existsSync(file)) return openStore({ file })
  throw new Problem(
    `${path} belongs to a node of a database. Name that by --database postgres://… or WARDER_DATABASE.`,
  )
}
