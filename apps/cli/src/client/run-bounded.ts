import { spawn } from 'node:child_process'
import process, { kill } from 'node:process'
import { Problem } from '../problem.ts'

/** A program by its whole path, its arguments, and what surrounds it. */
export interface ProgramCall {
  readonly argv: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/**
 * What a program prints, run without a shell, without input, bounded in time and size; it and what it has
 * started are killed at the bound, and when this process ends before. What it says on standard error is dropped: it may be a secret.
 */
export function runBounded(
  { argv: [program = '', ...args], cwd, env }: ProgramCall,
  { timeoutMs, maxBytes }: { readonly timeoutMs: number; readonly maxBytes: number },
): Promise<string> {
  const hasGroups = process.platform !== 'win32'
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: hasGroups,
      windowsHide: true,
    })
    const parts: Buffer[] = []
    let size = 0
    const stop = (why: string): void => {
      forget()
      end()
      reject(new Problem(`the headers helper ${why}.`))
    }
    const end = (): void => {
      child.stdout.destroy()
      if (child.pid === undefined) return
      try {
        if (hasGroups) kill(-child.pid, 'SIGKILL')
        else child.kill('SIGKILL')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
      }
    }
    const forget = (): void => {
      clearTimeout(timer)
      process.off('exit', end)
    }
    process.once('exit', end)
    const timer = setTimeout(() => stop(`took longer than ${timeoutMs / 1000} seconds`), timeoutMs)
    child.stdout.on('data', (part: Buffer) => {
      size += part.length
      if (size > maxBytes) stop(`printed more than ${maxBytes} bytes`)
      else parts.push(part)
    })
    child.on('error', (error: NodeJS.ErrnoException) =>
      stop(`could not be started (${error.code ?? 'unknown reason'})`),
    )
    child.on('close', (code) => {
      forget()
      // What it left running holds no pipe of ours, and has no business after its answer.
      end()
      if (code === 0) resolve(Buffer.concat(parts).toString('utf8'))
      else
        reject(
          new Problem(`the headers helper ended with ${code === null ? 'a signal' : `exit code ${code}`}.`),
        )
    })
  })
}
