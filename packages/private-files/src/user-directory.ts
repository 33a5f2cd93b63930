import { homedir, userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** What a directory of Warder is for: what must last, or what can be made again. */
export type Purpose = 'state' | 'cache'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The user's own directory for what Warder keeps, apart from work trees that coding agents read. The same for every
 * version and every host, or they would not share a refresh. It is not made here.
 */
export function userDirectory(
  purpose: Purpose,
  env: Environment = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  // An empty or relative one is invalid (XDG base directory specification), and would lead into the work tree.
  const given = (name: string): string | undefined => {
    const value = env[name]
    return value !== undefined && isAbsolute(value) ? value : undefined
  }
  const isState = purpose === 'state'
  if (platform === 'win32') {
    const local = join(given('LOCALAPPDATA') ?? join(homedir(), 'AppData', 'Local'), 'warder')
    return isState ? local : join(local, 'cache')
  }
  const home = given('HOME') ?? userInfo().homedir
  if (platform === 'darwin')
    return join(home, 'Library', isState ? 'Application Support' : 'Caches', 'warder')
  const base = isState
    ? (given('XDG_STATE_HOME') ?? join(home, '.local', 'state'))
    : (given('XDG_CACHE_HOME') ?? join(home, '.cache'))
  return join(base, 'warder')
}
