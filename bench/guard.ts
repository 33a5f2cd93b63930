import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { createGuard, type Guard, protect, protectCalls, protectNode } from '@warder/guard'
import { readPolicy } from '@warder/policy'
import { type Bench, compare, type Row, type Settings } from './measure/bench.ts'
import { type Callers, callHeaders, openCallers, toolCall } from './measure/call-tools.ts'
import { type Child, startChild } from './measure/child.ts'
import { findFreePort } from './measure/free-port.ts'
import { putLoad } from './measure/load.ts'
import { openNodeHandler } from './measure/open-node-handler.ts'
import { makeTokenIssuer, type TokenIssuer } from './measure/tokens.ts'
import { echo } from './servers/echo.ts'
import { answerCall, answerUnguarded } from './servers/node-answer.ts'
import { policyText } from './servers/policy.ts'

const connections = 8
/** More than a guard remembers, so that a token that comes round again is new. */
const manyTokens = 12_000
/**
 * Microseconds. Whatever slows a server down lets its answers wake callers that sleep, and those interrupt it: over sockets even known
 * work adds more than itself, and this says how much.
 */
const busyFor = 20

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
    const { core, fetchBare, fetchCalls, fetchRequests, fetchNew, plainBare, plainGuarded } = subjects
    const { nodeBare, nodeBusy, nodeCached, adapterBare, adapterCached } = subjects
    const { expressBare, expressSame, expressNew, sdkSame, sdkNew } = subjects
    const sdk = (theirs: Subject): { name: string; rounds: number[] } => ({
      name: 'SDK requireBearerAuth + jose adds',
      rounds: added(theirs, expressBare),
    })
    const row = (what: string, ours: number[], rest: Partial<Parameters<typeof compare>[0]>): Row =>
      compare({ what, unit: 'µs', ours, ...rest })
    return [
      row('known token: prove and decide', core.cpu, { target: { atMost: 15 } }),
      row('fetch handler of calls, known token adds', added(fetchCalls, fetchBare), {
        target: { atMost: 15 },
      }),
      row('fetch handler of requests, known token adds', added(fetchRequests, fetchBare), {}),
      row('fetch handler of calls, new token adds', added(fetchNew, fetchBare), {}),
      row('node handler without a socket, known token adds', added(plainGuarded, plainBare), {
        target: { atMost: 15 },
      }),
      row('node handler, known token adds', added(nodeCached, nodeBare), { target: { atMost: 15 } }),
      row(`for scale: ${busyFor} µs of work in the bare node handler add`, added(nodeBusy, nodeBare), {}),
      row('fetch handler of requests on node:http, known token adds', added(adapterCached, adapterBare), {}),
      row('node handler on express, known token adds', added(expressSame, expressBare), {
        beside: sdk(sdkSame),
        target: { atMost: 1 },
      }),
      row('node handler on express, new token adds', added(expressNew, expressBare), {
        beside: sdk(sdkNew),
        target: { atMost: 1 },
      }),
      row('node handler, known token, whole request', nodeCached.cpu, {
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

type FetchKind = 'core' | 'fetchBare' | 'fetchCalls' | 'fetchRequests' | 'fetchNew'
type InProcessKind = FetchKind | 'plainBare' | 'plainGuarded'
type NodeKind = 'nodeBare' | 'nodeBusy' | 'nodeCached' | 'adapterBare' | 'adapterCached'
type ExpressKind = 'expressBare' | 'expressSame' | 'expressNew' | 'sdkSame' | 'sdkNew'
type Kind = InProcessKind | NodeKind | ExpressKind

async function openSubjects(issuer: TokenIssuer): Promise<Record<Kind, Subject>> {
  const inProcess = await inProcessSubjects(issuer)
  const nodeBare = await openServer('node-handler', 'bare', issuer)
  const nodeBusy = await openServer('node-handler', `bare ${busyFor}`, issuer)
  const nodeGuarded = await openServer('node-handler', 'guarded', issuer)
  const adapterBare = await openServer('node-adapter', 'bare', issuer)
  const adapterGuarded = await openServer('node-adapter', 'guarded', issuer)
  const expressBare = await openServer('express', 'bare', issuer)
  const expressGuarded = await openServer('express', 'guarded', issuer)
  const expressSdk = await openServer('express', 'sdk', issuer)
  return {
    ...inProcess,
    nodeBare: nodeBare.subject('one'),
    nodeBusy: nodeBusy.subject('one'),
    nodeCached: nodeGuarded.subject('one'),
    adapterBare: adapterBare.subject('one'),
    adapterCached: adapterGuarded.subject('one'),
    expressBare: expressBare.subject('one'),
    expressSame: expressGuarded.subject('one'),
    expressNew: expressGuarded.subject('many'),
    sdkSame: expressSdk.subject('one'),
    sdkNew: expressSdk.subject('many'),
  }
}

/** The handler alone, without a socket: what the runtime's own Request and Response, or its HTTP, cost is on both sides. */
async function inProcessSubjects(issuer: TokenIssuer): Promise<Record<InProcessKind, Subject>> {
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
  const answer = (message: unknown): Response =>
    new Response(echo(message), { headers: { 'content-type': 'application/json' } })
  const bare = async (request: Request): Promise<Response> => answer(await request.json())
  const calls = protectCalls(guard, async ({ message }) => answer(message))
  const askFetch =
    (handle: (request: Request) => Promise<Response>): Ask =>
    async (sent) => {
      const headers = { ...callHeaders, ...sent }
      const response = await handle(new Request(resource, { method: 'POST', headers, body: toolCall(1) }))
      const text = await response.text()
      if (response.status !== 200) throw new Error(text)
    }
  const askNode = (handle: RequestListener): Ask => {
    const open = openNodeHandler(handle)
    return async (sent) => {
      const body = toolCall(1)
      const headers = { ...callHeaders, ...sent, 'content-length': body.length }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      const text = await open.ask(['POST /mcp HTTP/1.1', ...lines, '', body].join('\r\n'))
      if (!text.startsWith('HTTP/1.1 200 ')) throw new Error(text)
    }
  }
  let next = 0
  const subject = (name: string, ask: Ask, from: readonly string[]): Subject => ({
    name,
    cpu: [],
    async measure(seconds) {
      const end = performance.now() + seconds * 1_000
      const before = process.cpuUsage()
      let count = 0
      while (performance.now() < end) {
        await ask({ host: 'mcp.example', authorization: `Bearer ${from[next++ % from.length]}` })
        count += 1
      }
      const { user, system } = process.cpuUsage(before)
      return (user + system) / count
    },
    async close() {},
  })
  const one = tokens.slice(0, 1)
  const guarded = protectNode(guard, (request, response) => answerCall(response, request.body))
  return {
    core: {
      ...subject('core, known token', askFetch(bare), tokens),
      measure: (seconds) => proveAndDecide(guard, tokens[0] ?? '', seconds),
    },
    fetchBare: subject('fetch handler, bare', askFetch(bare), one),
    fetchCalls: subject('fetch handler of calls, known token', askFetch(calls), one),
    fetchRequests: subject('fetch handler of requests', askFetch(protect(guard, bare)), one),
    fetchNew: subject('fetch handler of calls, new tokens', askFetch(calls), tokens),
    plainBare: subject('node handler without a socket, bare', askNode(answerUnguarded), one),
    plainGuarded: subject('node handler without a socket, known token', askNode(guarded), one),
  }
}

/** Sends one call with these headers besides its own, and throws unless it is answered. */
type Ask = (headers: Readonly<Record<string, string>>) => Promise<void>

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
  const all = await issuer.issue(url, 'echo:use', kind.startsWith('bare') ? 1 : manyTokens)
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
