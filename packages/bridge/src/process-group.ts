import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BridgeLog } from './log.ts'
import { createWatchdog } from './watchdog.ts'

const windows = process.platform === 'win32'

/** Sends a signal to all of a process group; on Windows the process tree is ended, whatever the signal. */
function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (windows) {
    spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { windowsHide: true, stdio: 'ignore' })
    return
  }
  try {
    process.kill(-pid, signal)
  } catch {
    // gone already, which is what the signal was for
  }
}

function isGroupGone(pid: number): boolean {
  if (windows) return true
  try {
    process.kill(-pid, 0)
    return false
  } catch {
    return true
  }
}

const guarded = new Set<number>()
const watchdog = createWatchdog()

const killGuarded = (): void => {
  for (const pid of guarded) signalGroup(pid, 'SIGKILL')
}

/**
 * Sees to it that the group does not outlive Warder, until the returned function is called: Warder kills it when it exits,
 * and the watchdog does when Warder had no chance to.
 */
export function guardGroup(pid: number, log: BridgeLog): () => void {
  if (guarded.size === 0) process.on('exit', killGuarded)
  guarded.add(pid)
  watchdog.add(pid, log)
  return () => {
    if (!guarded.delete(pid)) return
    watchdog.remove(pid)
    if (guarded.size === 0) process.off('exit', killGuarded)
  }
}

async function waitForGroup(pid: number, ms: number): Promise<boolean> {
  const end = performance.now() + ms
  for (let pause = 2; !isGroupGone(pid); pause = Math.min(pause * 2, 50)) {
    if (performance.now() > end) return false
    await sleep(pause)
  }
  return true
}

/**
 * Ends a process group: a moment to leave by itself, SIGTERM, and SIGKILL two seconds later. Resolves when the group is gone.
 * A process that started a session of its own (`setsid`) has left the group and is not found.
 */
export async function endGroup(pid: number, patience = { leaveMs: 200, termMs: 2000 }): Promise<void> {
  if (await waitForGroup(pid, patience.leaveMs)) return
  signalGroup(pid, 'SIGTERM')
  if (await waitForGroup(pid, patience.termMs)) return
  signalGroup(pid, 'SIGKILL')
  // Orphans stay in the group as zombies until the first process of the machine fetches them, which may take its time.
  await waitForGroup(pid, 500)
}
