import { join } from 'node:path'
import { createGuard, type Guard, protect } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { type Bench, compare, type Row, type Settings } from './measure/bench.ts'
import { type Callers, callHeaders, openCallers, toolCall } from './measure/call-tools.ts'
import { type Child, startChild } from './measure/child.ts'
import { findFreePort } from './measure/free-port.ts'
import { putLoad } from './measure/load.ts'
import { makeTokenIssuer, type TokenIssuer } from './measure/tokens.ts'
import { echo } from './servers/echo.ts'
import { policyText } from './servers/policy.ts'

const connections = 8
/** More than a guard remembers, so that a token that comes round again is new. */
const manyTokens = 12_000

/** One server, or one kind of token for it; figures are microseconds of its CPU a request. */
interface Subject {
  readonly name: string
  readonly cpu: number[]
  measure(seconds: number): Promise<number>
  close(): Promise<void>
}

/** What something adds is its CPU a request less that of the same server without it, in the same round. */
export default {
  name: 'guard',
  question: 'How much CPU does the guard add to a request?',
  async rows(settings): Promise<readonly Row[]> {
    const issuer = await makeTokenIssuer('https://auth.example')
    const subjects = await openSubjects(issuer)
    try {
      await measure(Object.values(subjects), settings)
    } finally {
      for (const subject of Object.values(subjects)) await subject.close()
    }
    const {
      core,
      fetchBare,
      fetchCached,
      fetchNew,
      nodeBare,
      nodeCached,
      nodeNew,
      expressBare,
      sdkSame,
      sdkNew,
    } = subjects
    const sdk = (rounds: number[]): { name: string; rounds: number[] } => ({
      name: 'SDK requireBearerAuth + jose adds',
      rounds,
    })
    const row = (what: string, ours: number[], rest: Partial<Parameters<typeof compare>[0]>): Row =>
      compare({ what, unit: 'µs', ours, ...rest })
    return [
      row('known token: prove and decide', core.cpu, { target: { atMost: 15 } }),
      row('fetch adapter, known token adds', added(fetchCached, fetchBare), { target: { atMost: 15 } }),
      row('node adapter, known token adds', added(nodeCached, nodeBare), { target: { atMost: 15 } }),
      row('fetch adapter, new token adds', added(fetchNew, fetchBare), {}),
      row('node adapter, known token adds', added(nodeCached, nodeBare), {
        beside: sdk(added(sdkSame, expressBare)),
        target: { atMost: 1 },
      }),
      row('node adapter, new token adds', added(nodeNew, nodeBare), {
        beside: sdk(added(sdkNew, expressBare)),
        target: { atMost: 1 },
      }),
      row('node adapter, known token, whole request', nodeCached.cpu, {
        beside: { name: 'express with the SDK', rounds: sdkSame.cpu },
      }),
    ]
  },
} satisfies Bench

const added = (subject: Subject, bare: Subject): number[] =>
  subject.cpu.map((cpu, round) => cpu - (bare.cpu[round] ?? Number.NaN))

async function measure(subjects: readonly Subject[], { rounds, seconds, say }: Settings): Promise<void> {
  for (let round = 0; round <= rounds; round += 1) {
    for (const subject of subjects) {
      say(`${subject.name}, round ${round} of ${rounds}`)
      const cpu = await subject.measure(round === 0 ? 1 : seconds)
      // The first round warms the compiler up.
      if (round > 0) subject.cpu.push(cpu)
    }
  }
}

type Kind =
  | 'core'
  | 'fetchBare'
  | 'fetchCached'
  | 'fetchNew'
  | 'nodeBare'
  | 'nodeCached'
  | 'nodeNew'
  | ExpressKind
type ExpressKind = 'expressBare' | 'sdkSame' | 'sdkNew'

async function openSubjects(issuer: TokenIssuer): Promise<Record<Kind, Subject>> {
  const inProcess = await fetchSubjects(issuer)
  const nodeBare = await openServer('node-adapter', 'bare', issuer)
  const nodeGuarded = await openServer('node-adapter', 'guarded', issuer)
  const expressBare = await openServer('express', 'bare', issuer)
  const expressSdk = await openServer('express', 'sdk', issuer)
  return {
    ...inProcess,
    nodeBare: nodeBare.subject('one'),
    nodeCached: nodeGuarded.subject('one'),
    nodeNew: nodeGuarded.subject('many'),
    expressBare: expressBare.subject('one'),
    sdkSame: expressSdk.subject('one'),
    sdkNew: expressSdk.subject('many'),
  }
}

/** The handler alone, without a socket: what the runtime's own Request and Response cost is on both sides. */
async function fetchSubjects(
  issuer: TokenIssuer,
): Promise<Record<'core' | 'fetchBare' | 'fetchCached' | 'fetchNew', Subject>> {
  const resource = 'https://mcp.example/mcp'
  const tokens = await issuer.issue(resource, 'echo:use', manyTokens)
  const policy = readPolicy(policyText)
  const guard = createGuard({
    resource,
    server: 'echo',
    policy: () => policy,
    issuer: issuer.issuer,
    keys: { jwks: async () => issuer.jwks },
    revocations: { isRevoked: () => false, isFresh: () => true },
  })
  const bare = async (request: Request): Promise<Response> =>
    new Response(echo(await request.json()), { headers: { 'content-type': 'application/json' } })
  const guarded = protect(guard, bare)
  let next = 0
  const subject = (
    name: string,
    handle: (request: Request) => Promise<Response>,
    from: readonly string[],
  ): Subject => ({
    name,
    cpu: [],
    async measure(seconds) {
      const end = performance.now() + seconds * 1_000
      const before = process.cpuUsage()
      let count = 0
      while (performance.now() < end) {
        const headers = {
          ...callHeaders,
          host: 'mcp.example',
          authorization: `Bearer ${from[next++ % from.length]}`,
        }
        const response = await handle(new Request(resource, { method: 'POST', headers, body: toolCall(1) }))
        if (response.status !== 200) throw new Error(await response.text())
        await response.text()
        count += 1
      }
      const { user, system } = process.cpuUsage(before)
      return (user + system) / count
    },
    async close() {},
  })
  return {
    core: {
      ...subject('core, known token', bare, tokens),
      measure: (seconds) => proveAndDecide(guard, tokens[0] ?? '', seconds),
    },
    fetchBare: subject('fetch handler, bare', bare, tokens.slice(0, 1)),
    fetchCached: subject('fetch adapter, known token', guarded, tokens.slice(0, 1)),
    fetchNew: subject('fetch adapter, new tokens', guarded, tokens),
  }
}

/** The guard without HTTP around it, as the gateway uses it. */
async function proveAndDecide(guard: Guard, token: string, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1_000
  const before = process.cpuUsage()
  let count = 0
  for (; performance.now() < end; count += 1) {
    const principal = await guard.authenticate({ authorization: [`Bearer ${token}`] })
    const { outcome } = guard.decide(principal, { kind: 'tool', name: 'echo', args: {} })
    if (outcome !== 'open') throw new Error(outcome)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / count
}

interface OpenServer {
  subject(tokens: 'one' | 'many'): Subject
}

async function openServer(program: string, kind: string, issuer: TokenIssuer): Promise<OpenServer> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}/mcp`
  const child: Child = await startChild({
    program: join(import.meta.dirname, 'servers', `${program}.ts`),
    args: [kind, String(port), issuer.issuer, JSON.stringify(issuer.jwks)],
  })
  const all = await issuer.issue(url, 'echo:use', kind === 'bare' ? 1 : manyTokens)
  let open = 0
  return {
    subject(tokens) {
      open += 1
      const callers: Callers = openCallers({
        url,
        count: connections,
        tokens: tokens === 'one' ? all.slice(0, 1) : all,
      })
      return {
        name: `${program}, ${kind}, ${tokens} token`,
        cpu: [],
        measure: async (seconds) => (await putLoad(child, callers.workers, seconds)).cpu,
        async close() {
          await callers.close()
          open -= 1
          if (open === 0) await child.stop()
        },
      }
    },
  }
}
