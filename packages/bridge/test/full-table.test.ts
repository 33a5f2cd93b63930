import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { createStdioHost } from '../src/index.ts'
import { child } from './serve.ts'

const at = (path: string): string => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)))

/** The number of a file that Warder got from whoever started it; those with low numbers Node marks as its own. */
const inherited = 50

/** A Warder that may open few files, has opened them all but `free`, and is asked for a child: then again with room. */
const script = `
  const { closeSync, openSync } = await import('node:fs')
  const { createStdioHost } = await import(${at('../src/index.ts')})
  const { readMcpMessage } = await import('@warder/protocol')
  const log = []
  const start = (command) => createStdioHost({ command, env: {}, log: ({ event }) => log.push(event) })
  const host = start(${JSON.stringify(child('odd-server.mjs'))})
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } }
  const message = readMcpMessage(new TextEncoder().encode(JSON.stringify(body)))
  const signal = new AbortController().signal
  const call = { httpMethod: 'POST', owner: 'alice', clientId: 'c', message, headers: {}, signal }
  const ask = () => host.handle(call).then(({ status }) => status, ({ reason }) => reason)
  const files = []
  const fill = () => {
    try { for (;;) files.push(openSync('/dev/null', 'r')) } catch {}
  }
  fill()
  const full = []
  for (const free of [0, 0, 1, 2, 3, 4, 5]) {
    for (let n = 0; n < free; n += 1) closeSync(files.pop())
    full.push(await ask())
    fill()
  }
  for (const file of files) closeSync(file)
  const room = await ask()
  const look = start(['/bin/sh', '-c', 'test -s /dev/fd/${inherited} && echo inherited >&2; echo looked >&2'])
  const seen = await look.inspect().catch(({ notes }) => notes.detail)
  console.log(JSON.stringify({ full, room, log, seen }))
  await host.close()`

describe.runIf(process.platform === 'linux')('too many open files', () => {
  test('P02 P10 the call is refused, Warder goes on, and a child that starts later inherits nothing', async () => {
    const shell = 'ulimit -n 600; exec "$0" --conditions=@warder/source --input-type=module -e "$1"'
    const file = openSync(import.meta.filename, 'r')
    const stdio = Array.from({ length: inherited + 1 }, (_, place) =>
      place === inherited ? file : place === 1 ? 'pipe' : place === 2 ? 'inherit' : 'ignore',
    )
    const warder = spawn('/bin/sh', ['-c', shell, process.execPath, script], {
      cwd: import.meta.dirname,
      stdio,
    })
    const stdout = await text(warder.stdout as Readable)
    closeSync(file)
    const { full, room, log, seen } = JSON.parse(stdout)
    // Seven refusals in a row are no crash loop: nothing was started.
    expect(full).toEqual(Array.from({ length: 7 }, () => 'upstream.busy'))
    expect(log).toContain('child.no-files')
    expect(room).toBe(200)
    expect(seen).toContain('looked')
    expect(seen).not.toContain('inherited')
  })
})

test('a command that no system can run is refused in words, and one that it can is not', async () => {
  const inspect = (argument: string): Promise<unknown> => {
    const host = createStdioHost({ command: [...child('odd-server.mjs'), argument], env: {} })
    return host.inspect().finally(() => host.close())
  }
  await expect(inspect('x'.repeat(8 * 1024 * 1024))).rejects.toMatchObject({
    reason: 'upstream.unreachable',
    notes: { detail: expect.stringMatching(/^the MCP server \S+ cannot be started: .*(E2BIG|ENAMETOOLONG)/) },
  })
  expect(await inspect('x')).toMatchObject({ serverInfo: { name: 'odd' } })
})
