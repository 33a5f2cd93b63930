// The program that the official conformance suite tests as a client: @warder/client signs in, and the official SDK speaks MCP over
// its fetch. The suite says what to do in MCP_CONFORMANCE_…, and appends the URL of the server.
import { Client, type FetchLike, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { type ClientOptions, createClient, openMemory, type TraceEvent } from '@warder/client'
import { extensionOptions } from './client-extensions.ts'

const server = process.argv.at(-1) ?? ''
const revision = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const context = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as Readonly<Record<string, string>>

/** Nobody listens there: the suite's authorization server answers with the redirect at once, and that is all a browser would see. */
const redirectUris = ['http://127.0.0.1:38111/callback', 'http://localhost:38111/callback']

const browser: ClientOptions['way'] = {
  kind: 'browser',
  redirectUris: async () => redirectUris,
  async authorize({ url, signal }) {
    const response = await fetch(url, { redirect: 'manual', signal })
    const location = response.headers.get('location')
    if (location === null) throw new Error(`the authorization server answered ${response.status}`)
    return location
  },
  close: async () => {},
}

const client = createClient({
  server,
  store: openMemory(),
  way: browser,
  documentUrl: 'https://conformance-test.local/client-metadata.json',
  ...(scenario === 'auth/pre-registration' && {
    registration: {
      clientId: context['client_id'] ?? '',
      clientSecret: context['client_secret'],
      issuer: context['issuer'],
    },
  }),
  ...extensionOptions(scenario, context),
  trace: (event: TraceEvent) => process.stderr.write(`${JSON.stringify(event)}\n`),
})

const fetchSignedIn: FetchLike = (url, init = {}) =>
  client.fetch(String(url), {
    method: init.method,
    headers: Object.fromEntries(new Headers(init.headers)),
    ...(typeof init.body === 'string' && { body: init.body }),
    ...(init.signal && { signal: init.signal }),
  })

const mode = revision >= '2026-07-28' ? { pin: revision } : ('legacy' as const)
const mcp = new Client({ name: 'warder-conformance', version: '1' }, { versionNegotiation: { mode } })
await mcp.connect(new StreamableHTTPClientTransport(new URL(server), { fetch: fetchSignedIn }))
await mcp.listTools()
await mcp.callTool({ name: 'test-tool', arguments: {} })
await mcp.close()
client.close()
