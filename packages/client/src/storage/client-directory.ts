import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/**
 * Where a client keeps what is not in the keychain: the user's state directory, apart from work trees that coding agents read.
 * The same for every version and every host, or they would not share a refresh.
 */
export function clientDirectory(
  env: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform = process.platform,
): string {
  const home = env['HOME'] || homedir()
  // A relative one is invalid (XDG base directory specification), and would lead into the work tree.
  const given = (name: string): string | undefined => {
    const value = env[name]
    return value !== undefined && isAbsolute(value) ? value : undefined
  }
  const base =
    platform === 'win32'
      ? (given('LOCALAPPDATA') ?? join(homedir(), 'AppData', 'Local'))
      : platform === 'darwin'
        ? join(home, 'Library', 'Application Support')
        : (given('XDG_STATE_HOME') ?? join(home, '.local', 'state'))
  return join(base, 'warder', 'client')
}
