import { isatty } from 'node:tty'

/**
 * Resolves at the first Ctrl-C or SIGTERM, or when its terminal is closed; a second one ends the process at once. Where it has
 * no terminal, SIGHUP is not for it: `nohup` leaves none, and Node forgets that it was told to ignore that signal.
 */
export function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const onSignal = (): void => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
    process.on('SIGHUP', [0, 1, 2].some(isatty) ? onSignal : () => undefined)
  })
}
