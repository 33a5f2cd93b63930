import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter, join } from 'node:path'

/** What stands in for the browser of the desktop: programs that hand their URL to a person in the test. */
export interface FakeBrowser {
  /** Environment of a client that should open it, under each name that clients look for. */
  readonly env: Readonly<Record<string, string>>
  /** The URLs that clients opened, in order. */
  readonly visited: readonly URL[]
  /** What went wrong while the person followed a URL. */
  readonly failures: readonly unknown[]
  close(): void
}

/** Puts the programs into a directory; `follow` is the person who is handed each URL. */
export async function startFakeBrowser(
  directory: string,
  follow: (url: URL) => Promise<void>,
): Promise<FakeBrowser> {
  const visited: URL[] = []
  const failures: unknown[] = []
  const server = createServer((req, res) => {
    const url = new URL(new URL(req.url ?? '/', 'http://localhost').searchParams.get('url') ?? '')
    visited.push(url)
    follow(url).catch((error) => failures.push(error))
    res.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const programs = join(directory, 'programs')
  mkdirSync(programs)
  for (const name of ['xdg-open', 'open', 'browser']) {
    const path = join(programs, name)
    writeFileSync(
      path,
      `#!${process.execPath}
const url = process.argv.slice(2).find((argument) => argument.startsWith('http'))
fetch('http://127.0.0.1:${port}/?' + new URLSearchParams({ url }))
`,
    )
    chmodSync(path, 0o700)
  }
  return {
    env: {
      PATH: [programs, process.env['PATH'] ?? ''].join(delimiter),
      BROWSER: join(programs, 'browser'),
    },
    visited,
    failures,
    close: () => void server.close(),
  }
}
