import { createGuard, filterAnswer, type Guard } from '@warder/guard'
import { type Principal, readPolicy } from '@warder/policy'
import { type Bench, compare, type Row } from './measure/bench.ts'

const count = 1_000
const repeats = 50

const policy = readPolicy(`version: 1
servers:
  notes:
    run: [notes-server]
    list_locked: false
    scopes: { notes:read: { title: Read, basic: true }, notes:write: { title: Write } }
    tools:
${Array.from({ length: count }, (_, at) => `      - { match: tool_${at}, scopes: [notes:${at % 2 === 0 ? 'read' : 'write'}] }`).join('\n')}
access:
  - { who: { user: ann }, may: [notes:read, notes:write] }
`)

/** The half of the tools is hidden from this one. */
const principal: Principal = {
  user: { issuer: 'https://auth.example', subject: 'ann', names: ['ann'], groups: [] },
  client: { id: 'c1', class: 'pre-registered' },
  scopes: new Set(['notes:read']),
  tokenId: 't1',
  expiresAt: 2_000_000_000,
}

const answer = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { tools: Array.from({ length: count }, (_, at) => toolFacts(at)) },
})

/** In this process; the floor reads and writes the same bytes and decides nothing. */
export default {
  name: 'filter',
  question: `What does filtering a list of ${count} tools cost?`,
  async rows({ rounds, say }): Promise<readonly Row[]> {
    const guard = createGuard({
      resource: 'https://mcp.example/notes',
      server: 'notes',
      policy: () => policy,
      issuer: 'https://auth.example',
      keys: { jwks: async () => ({ keys: [] }) },
    })
    const shapes = [
      { name: 'JSON', type: 'application/json', body: answer },
      { name: 'SSE', type: 'text/event-stream', body: `event: message\ndata: ${answer}\n\n` },
    ]
    const rows: Row[] = []
    for (const { name, type, body } of shapes) {
      say(name)
      const bytes = new TextEncoder().encode(body)
      const ours: number[] = []
      const floor: number[] = []
      for (let round = 0; round <= rounds; round += 1) {
        const filtering = await cpuOf(() => filter(guard, type, bytes))
        const passing = await cpuOf(async () => parseAndWrite(bytes))
        if (round === 0) continue
        ours.push(filtering)
        floor.push(passing)
      }
      const what = `${name}, ${Math.round(bytes.length / 1024)} kB`
      rows.push(
        compare({
          what: `${what}: CPU`,
          unit: 'ms',
          ours,
          beside: { name: 'JSON.parse + stringify', rounds: floor },
        }),
        compare({
          what: `${what}: added to parse and write`,
          unit: 'ms',
          ours: ours.map((cpu, round) => cpu - (floor[round] ?? Number.NaN)),
          target: { atMost: 1 },
        }),
      )
    }
    return rows
  },
} satisfies Bench

async function filter(guard: Guard, type: string, bytes: Uint8Array): Promise<void> {
  let size = 0
  for await (const chunk of filterAnswer(guard, principal, 'tools/list', type, inOnePiece(bytes))) {
    size += chunk.length
  }
  if (size > bytes.length * 0.6 || size < bytes.length * 0.4) throw new Error(`the filter left ${size} bytes`)
}

async function* inOnePiece(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

/** All of the text, whatever frames it. */
function parseAndWrite(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes)
  new TextEncoder().encode(
    JSON.stringify(JSON.parse(text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1))),
  )
}

/** Milliseconds of CPU for one. */
async function cpuOf(once: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  for (let time = 0; time < repeats; time += 1) await once()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / repeats / 1_000
}

function toolFacts(at: number): object {
  return {
    name: `tool_${at}`,
    description: `Does the thing number ${at} and says how it went.`,
    inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  }
}
