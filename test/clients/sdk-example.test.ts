import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  type BrowserWay,
  createClient,
  openMemory,
  sdkAuthProvider,
  sdkFetch,
  type TraceEvent,
} from '@warder/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../conformance/free-port.ts'

const program = join(
  import.meta.dirname,
  '../../node_modules/@modelcontextprotocol/sdk/dist/esm/examples/server/simpleStreamableHttp.js',
)

let example: ChildProcess
let server: string

// The SDK's own example of a protected server, with its own demonstration of an authorization server, which asks nobody.
beforeAll(async () => {
  const [port, authPort] = [await freePort(), await freePort()]
  server = `http://localhost:${port}/mcp`
  example = spawn(process.execPath, [program, '--oauth', '--oauth-strict'], {
    env: { ...process.env, MCP_PORT: String(port), MCP_AUTH_PORT: String(authPort) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  await new Promise<void>((resolve) => {
    example.stdout?.on('data', (chunk) => {
      said += chunk
      if (said.includes(`Server listening on port ${port}`)) resolve()
    })
  })
})

afterAll(async () => {
  example?.kill()
  await once(example, 'exit')
})

const browser: BrowserWay = {
  kind: 'browser',
  redirectUris: async () => ['http://localhost:7777/callback'],
  async authorize({ url, signal }) {
    const response = await fetch(url, { redirect: 'manual', signal })
    return response.headers.get('location') ?? ''
  },
  close: async () => {},
}

test('CL-19 CL-20 the example server of the SDK lets Warder in, with a token for it alone', async () => {
  const events: TraceEvent[] = []
  const client = createClient({
    server,
    store: openMemory(),
    way: browser,
    trace: (event) => events.push(event),
  })
  const host = new Client({ name: 'host', version: '1' })
  const transport = new StreamableHTTPClientTransport(new URL(server), { fetch: sdkFetch(client) })
  await host.connect(transport as Parameters<Client['connect']>[0])
  const { tools } = await host.listTools()
  expect(tools.map(({ name }) => name)).toContain('greet')
  expect(JSON.stringify(await host.callTool({ name: 'greet', arguments: { name: 'you' } }))).toContain('you')
  expect(await sdkAuthProvider(client).token()).toBe((await client.token())?.accessToken)
  expect(events).toContainEqual(expect.objectContaining({ step: 'token', outcome: 'done' }))
  await host.close()
  client.close()
})
