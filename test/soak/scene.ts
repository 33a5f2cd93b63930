import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addUser, makeOwnerLink } from '@warder/authorization-server'
import { openStore } from '@warder/store'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimByLink, type Owner } from '../protect/claim-owner.ts'

/** One real `warder protect` with a server at a URL and a server that is a command, four users, and what can go wrong. */
export interface Scene {
  readonly warder: WarderProcess
  readonly users: readonly Owner[]
  readonly data: string
  /** The endpoints of the two servers. */
  readonly notes: string
  readonly files: string
  /** Calls back with the `traceparent` of each tool call that the HTTP server got. */
  onUpstreamCall(listener: (traceparent: string) => void): void
  /** What the children of the command have noted, since the last time. */
  takeNotes(): readonly string[]
  /** Memory of Warder after a collection, a few seconds old. */
  readMemory(): Memory | undefined
  /** Stops the HTTP server for a while, in the middle of whatever it does. */
  holdUpstream(ms: number): Promise<void>
  /** Kills it and starts it again at the same address. */
  restartUpstream(): Promise<void>
  /** Writes the policy file with or without one more tool. */
  editPolicy(hasExtra: boolean): void
  close(): Promise<void>
}

export interface Memory {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

export const users: readonly Owner[] = ['owner', 'alice', 'bob', 'carol'].map((name) => ({
  email: `${name}@example.com`,
  password: `a long password of ${name}`,
}))

const policyFor = (url: string, run: readonly string[], hasExtra: boolean): string => `
version: 1
servers:
  notes:
    url: ${url}
    scopes:
      notes:read: { title: Read notes, basic: true }
    tools:
      - { match: echo, scopes: [notes:read] }
${hasExtra ? '      - { match: count, scopes: [notes:read] }' : ''}
  files:
    run: ${JSON.stringify(run)}
    scopes:
      files:note: { title: Take notes, basic: true }
    tools:
      - { match: note, scopes: [files:note] }
access:
${users
  .map(({ email }, place) => (place === 0 ? 'owner' : email))
  .map((user) => `  - { who: { user: ${user} }, client: any, may: [notes:read, files:note] }`)
  .join('\n')}
`

export async function openScene(): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'warder-soak-'))
  const [data, policy] = [join(directory, 'data'), join(directory, 'warder.yaml')]
  const [noted, memory] = [join(directory, 'noted'), join(directory, 'memory.json')]
  writeFileSync(noted, '')
  const listeners: ((traceparent: string) => void)[] = []
  const port = await freePort()
  const startUpstream = async (): Promise<ChildProcess> => {
    const child = fork(join(import.meta.dirname, 'upstream-program.ts'), [String(port)], {
      execArgv: ['--conditions=@warder/source'],
    })
    await once(child, 'message')
    child.on('message', (traceparent) => {
      for (const listener of listeners) listener(String(traceparent))
    })
    return child
  }
  let upstream = await startUpstream()
  const url = `http://127.0.0.1:${port}/mcp`
  const run = [process.execPath, join(import.meta.dirname, 'child-program.mjs'), noted]
  const editPolicy = (hasExtra: boolean): void => writeFileSync(policy, policyFor(url, run, hasExtra))
  editPolicy(true)
  const warder = await startWarder({
    directory,
    args: ['--port', '0'],
    env: {
      NODE_OPTIONS: `--import ${join(import.meta.dirname, 'heap-preload.mjs')}`,
      WARDER_SOAK_MEMORY: memory,
    },
  })
  const [owner, ...others] = users as [Owner, ...Owner[]]
  const store = await openStore({ file: join(data, 'warder.sqlite') })
  const now = Date.now()
  await claimByLink(await makeOwnerLink({ store, issuer: warder.issuer, now }), owner)
  for (const user of others) await addUser(store, { ...user, now })
  await store.close()

  let taken = 0
  const endpointOf = (name: string): string =>
    warder.servers.find((server) => server.name === name)?.endpoint ?? ''
  return {
    warder,
    users,
    data,
    notes: endpointOf('notes'),
    files: endpointOf('files'),
    onUpstreamCall: (listener) => listeners.push(listener),
    takeNotes() {
      const text = readFileSync(noted, 'utf8').slice(taken)
      taken += text.length
      return text.split('\n').filter((line) => line !== '')
    },
    readMemory() {
      try {
        return JSON.parse(readFileSync(memory, 'utf8')) as Memory
      } catch {
        return undefined
      }
    },
    async holdUpstream(ms) {
      upstream.kill('SIGSTOP')
      await new Promise((resolve) => setTimeout(resolve, ms))
      upstream.kill('SIGCONT')
    },
    async restartUpstream() {
      const ended = once(upstream, 'exit')
      upstream.kill('SIGKILL')
      await ended
      upstream = await startUpstream()
    },
    editPolicy,
    async close() {
      await warder.stop('SIGKILL')
      upstream.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
