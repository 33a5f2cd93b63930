import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** A process that is dead, but not yet fetched by whoever inherited it, is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !existsSync('/proc/self/stat') || readStat(pid)?.state !== 'Z'
  } catch {
    return false
  }
}

/** The living processes that a process has started itself, with their command lines. */
export function childrenOf(parent: number): { readonly pid: number; readonly command: string }[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  return pids
    .map(Number)
    .filter((pid) => readStat(pid)?.parent === parent && isAlive(pid))
    .map((pid) => ({ pid, command: readCommand(pid) }))
}

function readStat(pid: number): { readonly state: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state, parent: Number(parent) }
  } catch {
    return undefined
  }
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}
