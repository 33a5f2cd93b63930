import { existsSync, readFileSync } from 'node:fs'

/** A process that is dead, but not yet fetched by whoever inherited it, is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
