import { PassThrough } from 'node:stream'
import { Client } from '@modelcontextprotocol/client'
import type { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import {
  type BridgeLogEntry,
  createStdioBridge,
  type StdioBridge,
  type StdioBridgeOptions,
} from '../../src/connect/index.ts'

// biome-ignore lint/suspicious/noExplicitAny: what comes back is what the test looks at
export type Wire = any

/** A bridge whose host is the test. */
export interface Bridged {
  readonly bridge: StdioBridge
  readonly input: PassThrough
  readonly log: BridgeLogEntry[]
  /** Everything that the host was told. */
  readonly lines: Wire[]
  /** The same as it stood on the wire. */
  readonly raw: string[]
  /** One line as it stands on the wire. */
  write(line: string | object): void
  /** Writes a request and waits for its answer. */
  ask(method: string, params?: object, id?: string | number): Promise<Wire>
  /** Waits for a message that fits. */
  wait(fits: (message: Wire) => boolean): Promise<Wire>
  connectOld(client: OldClient): Promise<OldClient>
  connect(client: Client): Promise<Client>
  close(): Promise<void>
}

export const plainFetch = (url: string, init: RequestInit): Promise<Response> =>
  fetch(url, { ...init, redirect: 'manual' })

export function startBridged(url: string, options: Partial<StdioBridgeOptions> = {}): Bridged {
  const input = new PassThrough()
  const output = new PassThrough()
  const log: BridgeLogEntry[] = []
  const lines: Wire[] = []
  const raw: string[] = []
  const watchers = new Set<(message: Wire) => void>()
  let transport: { onmessage?: ((message: Wire) => void) | undefined } | undefined
  let nextId = 1000
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) {
      const message: Wire = JSON.parse(part)
      lines.push(message)
      raw.push(part)
      for (const watcher of [...watchers]) watcher(message)
      transport?.onmessage?.(message)
    }
  })
  const bridge = createStdioBridge({
    url,
    fetch: plainFetch,
    input,
    output,
    log: (entry) => log.push(entry),
    ...options,
  })
  const write = (line: string | object): void =>
    void input.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
  const wait = (fits: (message: Wire) => boolean): Promise<Wire> =>
    new Promise((resolve) => {
      const before = lines.find(fits)
      if (before !== undefined) return resolve(before)
      const watcher = (message: Wire): void => {
        if (!fits(message)) return
        watchers.delete(watcher)
        resolve(message)
      }
      watchers.add(watcher)
    })
  const makeTransport = (): Wire => {
    const own: Wire = {
      start: async () => undefined,
      send: async (message: object) => write(message),
      close: async () => own.onclose?.(),
    }
    transport = own
    return own
  }
  return {
    bridge,
    input,
    log,
    lines,
    raw,
    write,
    wait,
    ask: (method, params, id = nextId++) => {
      write({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })
      return wait((message) => message.id === id && message.method === undefined)
    },
    connectOld: async (client) => {
      await client.connect(makeTransport())
      return client
    },
    connect: async (client) => {
      await client.connect(makeTransport())
      return client
    },
    close: () => bridge.close(),
  }
}

export const clientInfo = { name: 'test', version: '1' }

export const stateless = (): Client =>
  new Client(clientInfo, { versionNegotiation: { mode: { pin: '2026-07-28' } } })
export const session = (): Client => new Client(clientInfo, { versionNegotiation: { mode: 'legacy' } })

export const envelope: Readonly<Record<string, unknown>> = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

export const initializeParams = (version = '2025-11-25', capabilities: object = {}): object => ({
  protocolVersion: version,
  capabilities,
  clientInfo,
})
