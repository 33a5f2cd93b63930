// The program that the official conformance suite tests as a client: a host that knows only stdio servers, with `warder connect` in
// between. What the suite checks on the wire is what the bridge sends.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectCommand, startHost } from './hosted-bridge.ts'

interface Call {
  readonly name: string
  readonly arguments: Record<string, unknown>
}

const server = process.argv.at(-1) ?? ''
const revision = process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? ''
const scenario = process.env['MCP_CONFORMANCE_SCENARIO'] ?? ''
const { toolCalls } = JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as {
  toolCalls?: readonly Call[]
}

/** What to call, where the suite does not say so. */
const known: Readonly<Record<string, Record<string, unknown>>> = {
  add_numbers: { a: 2, b: 3 },
}

const home = mkdtempSync(join(tmpdir(), 'warder-conformance-'))
const started = connectCommand(home, [server, '--header', 'X-Conformance: yes'], { WARDER_STORE: 'memory' })
const { client } = await startHost(started, revision >= '2026-07-28' ? 'stateless' : 'session')
try {
  const { tools } = await client.listTools()
  const calls = toolCalls ?? tools.map(({ name }) => ({ name, arguments: known[name] ?? {} }))
  for (const call of calls.filter(({ name }) => tools.some((tool) => tool.name === name))) {
    await client.callTool(call).catch((error: unknown) => console.error(call.name, error))
  }
  if (scenario === 'http-standard-headers') await useTheRest()
} finally {
  await client.close()
  rmSync(home, { recursive: true, force: true })
}

async function useTheRest(): Promise<void> {
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
}
