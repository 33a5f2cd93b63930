import type { Host } from '@warder/host-config'
import type { Input } from '../command.ts'
import { note } from '../output.ts'
import type { Purpose } from './choose-entry.ts'
import { type FoundServer, findServer } from './find-server.ts'

/** The server that a command names, with `--host` as the command line has it; what is odd about its entry is noted. */
export async function findNamedServer(
  { options }: Pick<Input, 'options'>,
  word: string,
  purpose: Purpose = 'use',
): Promise<FoundServer> {
  const host = options['host'] as Host | undefined
  const found = await findServer(word, { purpose, ...(host === undefined ? {} : { host }) })
  for (const warning of found.warnings) note(warning)
  return found
}
