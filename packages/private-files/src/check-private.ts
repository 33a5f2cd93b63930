import { type Stats, statSync } from 'node:fs'

/** Throws when group or others have any right on what is at this path; nothing there is no trouble. */
export function checkPrivate(path: string, wanted: string): void {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats !== undefined) checkMode(path, stats, wanted)
}

/** The same for something that was looked at before. On Windows it checks nothing. */
export function checkMode(path: string, stats: Stats, wanted: string): void {
  if (process.platform === 'win32') return
  const mode = stats.mode & 0o777
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `${path} is open to other users of this machine (mode ${mode.toString(8)}); run: chmod ${wanted} ${path}`,
    )
  }
}
