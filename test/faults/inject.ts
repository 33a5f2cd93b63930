import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** A system call that writes. strace counts each by itself. */
export type Syscall = 'pwrite64' | 'write' | 'fdatasync' | 'fsync'

/** What happens to a system call of another process. */
export interface Fault {
  readonly syscall: Syscall
  /** An error of the disk; the end of the process, before the call; or a pause of two seconds after the call. */
  readonly does: 'ENOSPC' | 'EIO' | 'EROFS' | 'KILL' | 'PAUSE'
  /** The how manieth call on these files by one thread; absent: every one. */
  readonly nth?: number
}

/** A fault that lies in wait. */
export interface Injection {
  /** Takes it away again; answers whether a call met it. */
  lift(): Promise<boolean>
}

/** Whether this machine lets one process trace another: containers may forbid it. */
export function canTrace(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'warder-trace-'))
  try {
    return spawnSync('strace', ['-f', '-o', join(directory, 'trace'), 'true']).status === 0
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Lays faults in wait for a running process, for its work on these files only. */
export async function injectFaults(
  pid: number,
  files: readonly string[],
  faults: readonly Fault[],
): Promise<Injection> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-inject-'))
  const trace = join(directory, 'trace')
  const child = spawn(
    'strace',
    [
      ...['-f', '-qq', '-o', trace, '-p', String(pid)],
      ...files.flatMap((file) => ['-P', file]),
      ...['-e', `trace=${[...new Set(faults.map(({ syscall }) => syscall))].join(',')}`],
      ...faults.flatMap((fault) => ['-e', `inject=${inWords(fault)}`]),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const ended = once(child, 'exit')
  while (!isTraced(pid)) {
    if (child.exitCode !== null) throw new Error(`strace did not start: ${said}`)
    await delay(2)
  }
  return {
    async lift() {
      child.kill('SIGTERM')
      // strace can wait for ever for a process that died under it, which then stays a zombie that nobody else may fetch.
      const force = setTimeout(() => child.kill('SIGKILL'), 500)
      await ended
      clearTimeout(force)
      const seen = readFileSync(trace, 'utf8')
      rmSync(directory, { recursive: true })
      return seen.includes('(INJECTED)') || seen.includes('killed by SIGKILL')
    },
  }
}

function inWords({ syscall, does, nth }: Fault): string {
  const what = { KILL: 'signal=KILL', PAUSE: 'delay_exit=2000000' }[does as string] ?? `error=${does}`
  return `${syscall}:${what}${nth === undefined ? '' : `:when=${nth}`}`
}

/** Every thread of it: the decision log is written by those of the pool. */
function isTraced(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) =>
      /^TracerPid:\t[1-9]/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')),
    )
  } catch {
    return false
  }
}
