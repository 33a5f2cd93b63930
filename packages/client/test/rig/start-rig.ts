import {
  type Client,
  type ClientOptions,
  type CredentialStore,
  createClient,
  openMemory,
  type TraceEvent,
} from '@warder/client'
import { onTestFinished } from 'vitest'
import {
  type Defects,
  startAuthorizationServer,
  type TestAuthorizationServer,
} from './authorization-server.ts'
import type { HttpServer } from './http-server.ts'
import { type McpServerOptions, startMcpServer } from './mcp-server.ts'
import { openTestBrowser, type TestBrowser } from './test-browser.ts'

export interface Rig {
  readonly as: TestAuthorizationServer
  readonly mcp: HttpServer & { readonly url: string }
  readonly browser: TestBrowser
  readonly store: CredentialStore
  readonly trace: TraceEvent[]
  /** A client of this server; further ones share browser and store, as other processes would. */
  client(options?: Partial<ClientOptions>): Client
}

/** A protected MCP server, its authorization server and a client of them; all of it ends with the test. */
export async function startRig(
  of: {
    readonly as?: Defects
    readonly mcp?: Partial<McpServerOptions>
    readonly redirectUris?: readonly string[]
  } = {},
): Promise<Rig> {
  const as = await startAuthorizationServer(of.as)
  const mcp = await startMcpServer({ tokens: () => as.tokens, issuers: () => [as.issuer], ...of.mcp })
  const browser = openTestBrowser(of.redirectUris)
  const store = openMemory()
  const trace: TraceEvent[] = []
  const clients: Client[] = []
  onTestFinished(async () => {
    for (const client of clients) client.close()
    await Promise.all([as.stop(), mcp.stop()])
  })
  return {
    as,
    mcp,
    browser,
    store,
    trace,
    client(options = {}) {
      const about = {
        server: mcp.url,
        store,
        way: browser,
        trace: (event: TraceEvent) => void trace.push(event),
      }
      const client = createClient({ ...about, ...options })
      clients.push(client)
      return client
    },
  }
}

/** A call of a tool, as MCP clients send it. */
export function callOf(tool: string): {
  readonly method: string
  readonly headers: Record<string, string>
  readonly body: string
} {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: tool } }),
  }
}
