import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { warderProgram } from '../e2e/warder-process.ts'

const clientInfo = { name: 'host', version: '1' }

/** How `warder connect` is started: the words after it, and its environment. */
export interface Started {
  readonly command: string
  readonly args: string[]
  readonly env: Record<string, string>
}

/** A command line with a home, and a credential store, of its own. */
export function connectCommand(
  home: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Started {
  mkdirSync(home, { recursive: true, mode: 0o700 })
  const key = join(home, 'store-key')
  writeFileSync(key, 'k'.repeat(44), { mode: 0o600 })
  return {
    command: process.execPath,
    args: [...warderProgram, 'connect', ...args],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: home,
      XDG_STATE_HOME: join(home, 'state'),
      XDG_CACHE_HOME: join(home, 'cache'),
      XDG_CONFIG_HOME: join(home, 'config'),
      WARDER_STORE: 'encrypted-file',
      WARDER_STORE_KEY_FILE: key,
      ...env,
    },
  }
}

/** A host that knows only stdio servers. */
export interface Host {
  readonly client: Client
  /** What the bridge wrote to standard error. */
  said(): string
  pid(): number
}

/**
 * With the official client 2.4; `stateless` is 2026-07-28, `session` the handshake of 2025-11-25. For `auto` it starts a second process
 * first, asks that who it is, and ends it.
 */
export async function startHost(started: Started, era: 'session' | 'stateless' | 'auto'): Promise<Host> {
  const modes = { stateless: { pin: '2026-07-28' }, session: 'legacy', auto: 'auto' } as const
  const mode = modes[era]
  const client = new Client(clientInfo, {
    versionNegotiation: { mode },
    capabilities: { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} },
  })
  const transport = new StdioClientTransport({ ...started, stderr: 'pipe' })
  let said = ''
  transport.stderr?.on('data', (chunk) => (said += chunk))
  await client.connect(transport)
  return { client, said: () => said, pid: () => transport.pid ?? 0 }
}

/** With the official client 1.32. */
export async function startOldHost(started: Started): Promise<OldClient> {
  const client = new OldClient(clientInfo)
  await client.connect(new OldTransport({ ...started, stderr: 'ignore' }))
  return client
}

/** The process alone. */
export function startProcess(started: Started): {
  readonly child: ChildProcess
  readonly out: () => string
  readonly err: () => string
  write(...messages: object[]): void
} {
  const child = spawn(started.command, started.args, { env: started.env, stdio: ['pipe', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk) => (out += chunk))
  child.stderr?.on('data', (chunk) => (err += chunk))
  child.stdin?.on('error', () => undefined)
  return {
    child,
    out: () => out,
    err: () => err,
    write: (...messages) =>
      void child.stdin?.write(messages.map((message) => `${JSON.stringify(message)}\n`).join('')),
  }
}
