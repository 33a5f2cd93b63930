import { spawn } from 'node:child_process'

/** How a client under test ended. */
export interface ClientRun {
  readonly code: number | null
  readonly isLate: boolean
}

/**
 * Runs a client with `{url}` in its arguments replaced by the address of a trap (appended where it is missing), without a shell, and
 * ends its whole process group when it takes too long. Its output goes to our standard error.
 */
export async function runClient(
  command: readonly string[],
  url: string,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<ClientRun> {
  const named = command.map((word) => word.replaceAll('{url}', url))
  const [program = '', ...words] = command.some((word) => word.includes('{url}')) ? named : [...named, url]
  const child = spawn(program, words, { stdio: ['ignore', 2, 2], detached: process.platform !== 'win32' })
  const end = (): void => {
    try {
      if (child.pid !== undefined && process.platform !== 'win32') process.kill(-child.pid, 'SIGKILL')
      else child.kill('SIGKILL')
    } catch {
      // It has ended by itself.
    }
  }
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    end()
  }, timeoutMs)
  signal.addEventListener('abort', end)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code) => resolve({ code, isLate }))
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', end)
    end()
  }
}
