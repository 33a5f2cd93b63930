import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Input, Option } from '../command.ts'
import type { DataDirectory } from '../data-directory.ts'
import { loadSecret } from '../load-secret.ts'
import { Problem } from '../problem.ts'
import { dataOptions, dataUsage } from '../with-store.ts'

/** How a command that needs the keys of the log finds them. */
export const secretOptions: Readonly<Record<string, Option>> = {
  'secret-file': {
    value: 'FILE',
    says: 'The secret, where warder protect was started with it (default: in the state directory)',
  },
  ...dataOptions,
}
export const secretUsage: string = `[--secret-file FILE] ${dataUsage}`

/** The secret that the log was written with; never makes one. */
export function findLogSecret(input: Input, directory: DataDirectory): Uint8Array {
  const named = input.options['secret-file']
  if (named === undefined && !existsSync(join(directory.path, 'secret')))
    throw new Problem(`${directory.path} has no secret. Name the one of warder protect by --secret-file.`)
  return loadSecret(directory, named)
}
