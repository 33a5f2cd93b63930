import process from 'node:process'
import type { StdioBridge } from '@warder/bridge/connect'

const parentCheckMs = 1000
/** The last words and the end of the session are bounded; whatever else may hang is not. */
const longestEndMs = 4000
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Resolves when the bridge is over: the host has closed the pipe, is gone, or has sent a signal. What the host was told is written out
 * by then, unless it does not read. A second signal ends the process at once.
 */
export async function untilHostLeaves(bridge: StdioBridge): Promise<void> {
  const end = (): void => void bridge.close()
  // Whatever hangs, nothing of this is left behind.
  void bridge.closing.then(() => setTimeout(() => process.exit(1), longestEndMs).unref())
  const onSignal = (): void => {
    for (const signal of signals) process.once(signal, () => process.exit(1))
    end()
  }
  for (const signal of signals) process.once(signal, onSignal)
  // A host that is killed closes its end of the pipe, unless somebody else holds it open too.
  const parent = process.ppid
  const watch = setInterval(() => process.ppid !== parent && end(), parentCheckMs)
  watch.unref()
  // Nobody has to read what we say.
  process.stderr.on('error', () => undefined)
  await bridge.closed
  clearInterval(watch)
  await new Promise<void>((resolve) => {
    setTimeout(resolve, 500).unref()
    process.stdout.write('', () => resolve())
  })
}
