import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A desktop on which `xdg-open` writes down how it was called, and follows the address as a browser would. */
export interface FakeDesktop {
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  readonly program: string
  /** What `xdg-open` was given, call by call: arguments and environment. */
  calls(): readonly { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> }[]
  end(): void
}

/** `does` is what the program does with its address, besides writing it down. */
export function createDesktop(does: 'follow' | 'nothing' | 'fail' = 'nothing'): FakeDesktop {
  const directory = mkdtempSync(join(tmpdir(), 'warder-desktop-'))
  const [program, notes] = [join(directory, 'xdg-open'), join(directory, 'calls')]
  const then = {
    follow: 'await fetch(process.argv[2])',
    nothing: '',
    fail: 'process.exitCode = 3',
  }
  writeFileSync(
    program,
    `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const { argv, env } = process
;(async () => {
  ${then[does]}
})().finally(() => appendFileSync(${JSON.stringify(notes)}, JSON.stringify({ args: argv.slice(2), env }) + '\\n'))
`,
  )
  chmodSync(program, 0o700)
  return {
    directory,
    program,
    // Node resolves no further: nothing else of this computer's desktop is in reach.
    env: { PATH: directory, DISPLAY: ':0', HOME: directory },
    calls: () =>
      existsSync(notes)
        ? readFileSync(notes, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line))
        : [],
    // The browser that was started may write its last line meanwhile.
    end: () => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }),
  }
}
