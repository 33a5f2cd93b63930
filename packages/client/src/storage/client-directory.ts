import { join } from 'node:path'
import { userDirectory } from '@warder/private-files'

/** Where a client keeps what is not in the keychain. */
export function clientDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform?: NodeJS.Platform,
): string {
  return join(userDirectory('state', env, platform), 'client')
}
