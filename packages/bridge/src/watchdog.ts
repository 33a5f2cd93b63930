import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { BridgeLog } from './log.ts'

/**
 * What the watchdog does, for a POSIX shell and without any other program. Its input is a pipe that only Warder holds, so
 * that its end is the end of Warder, however it came. A number counts for a group only as long as its leader is the process
 * that was meant: while anything of a group is left, the kernel gives its number to nobody else.
 */
export const watchdogScript = `
trap '' HUP INT TERM
set -f
groups=
while read -r what group since; do
  case $what in
    +) groups="$groups $group:$since" ;;
    -) kept=
       for entry in $groups; do [ "$entry" = "$group:$since" ] || kept="$kept $entry"; done
       groups=$kept ;;
  esac
done
for entry in $groups; do
  group=\${entry%%:*}
  now=
  if [ -r "/proc/$group/stat" ] && read -r stat < "/proc/$group/stat"; then
    set -- \${stat##*) }
    now=\${20}
  fi
  [ -n "$now" ] && [ "$now" != "\${entry#*:}" ] && continue
  kill -9 "-$group"
done`

const steadyMs = 1000

/** Ends process groups when Warder cannot do so any more. */
export interface Watchdog {
  add(group: number, log: BridgeLog): void
  remove(group: number): void
}

/**
 * Keeps a process beside Warder that kills the groups it was told of as soon as Warder is gone, by SIGKILL too. It is
 * started with the first group, leaves after the last one, has a session of its own, where no Ctrl-C reaches it, and does
 * not keep Warder running. Should it be killed, another takes its place. There is none on Windows.
 */
export function createWatchdog(): Watchdog {
  const groups = new Map<number, string>()
  let dog: ChildProcess | undefined

  const start = (log: BridgeLog): void => {
    const own = spawn('/bin/sh', ['-c', watchdogScript], {
      cwd: '/',
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    const since = performance.now()
    dog = own
    const lose = (words: string): void => {
      if (dog !== own) return
      dog = undefined
      log({ level: 'warn', event: 'watchdog.lost', words })
      // One that ends at once would end at once again: the next group tries it anew.
      if (groups.size > 0 && performance.now() - since > steadyMs) start(log)
    }
    own.on('error', (error) => lose(error.message))
    own.on('exit', (code, signal) => lose(`it ended with ${code ?? signal}`))
    own.stdin?.on('error', () => undefined)
    own.unref()
    // A pipe is a socket here, and would keep Warder running like one.
    ;(own.stdin as { unref?: () => void } | null)?.unref?.()
    for (const [group, born] of groups) own.stdin?.write(`+ ${group} ${born}\n`)
  }

  return {
    add: (group, log) => {
      if (process.platform === 'win32') return
      const born = readStartTime(group)
      groups.set(group, born)
      if (dog === undefined) start(log)
      else dog.stdin?.write(`+ ${group} ${born}\n`)
    },
    remove: (group) => {
      const born = groups.get(group)
      if (born === undefined) return
      groups.delete(group)
      dog?.stdin?.write(`- ${group} ${born}\n`)
      if (groups.size > 0) return
      const last = dog
      dog = undefined
      last?.stdin?.end()
    },
  }
}

/** When a process began, in ticks of the kernel's clock; a dash where there is no /proc. */
function readStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-'
  } catch {
    return '-'
  }
}
