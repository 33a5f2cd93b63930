import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { samplePolicy } from '../e2e/sample-policy.ts'
import { everything } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from '../protect/claim-owner.ts'
import { call, refresh } from '../protect/scripted-sign-in.ts'
import { type Authorized, authorize, readTokens } from './authorize.ts'
import { type LoadClient, startClient } from './load.ts'
import { type Node, type Nodes, startNodes } from './start-nodes.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
const clients = 5
const codes = 8

describe('kill -9 of one of two nodes in mid-load', () => {
  let nodes: Nodes
  let resource: string
  let load: (LoadClient & { readonly clientId: string })[]
  /** Answers with tokens, a code; each was presented at both nodes at the same moment. */
  let redemptions: number[]

  beforeAll(async () => {
    nodes = await startNodes(samplePolicy(`run: ${JSON.stringify([process.execPath, everything, 'stdio'])}`))
    vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl)
    const { a, b, balancer } = nodes
    resource = `${balancer.url}/everything/mcp`
    await claimOwner(a.directory, owner)
    const begin = (): Promise<Authorized> => authorize({ issuer: balancer.url, resource }, owner)
    load = []
    for (let number = 0; number < clients; number += 1) {
      const { clientId, redeem } = await begin()
      const first = await readTokens(await redeem())
      load.push({ clientId, ...startClient({ balancer, resource }, { clientId, first }) })
    }
    const waiting: Authorized[] = []
    for (let number = 0; number < codes; number += 1) waiting.push(await begin())

    await everybody(({ refreshedBy, calls }) => has(refreshedBy, a, 3) && has(calls.map(toPort), a, 3))
    const redeemed = waiting.map(async ({ redeem }, place) => {
      // Some before the end of the node, some on its way, some after it.
      await new Promise((resolve) => setTimeout(resolve, place * 10))
      const answers = await Promise.all([redeem(), redeem()].map((answer) => answer.catch(() => undefined)))
      return answers.filter((answer) => answer?.status === 200).length
    })
    const killed = a.process().stop('SIGKILL')
    redemptions = await Promise.all(redeemed)
    await killed
    await everybody(({ refreshedBy, calls }) => has(refreshedBy, b, 10) && has(calls.map(toPort), b, 5))
    const before = load.map(({ seen }) => seen.refreshedBy.filter((port) => port === a.port).length)
    await a.start()
    await everybody(({ refreshedBy }, place) => has(refreshedBy, a, (before[place] ?? 0) + 3))
    for (const client of load) client.end()
    await Promise.all(load.map(({ done }) => done))
  })

  afterAll(async () => {
    vi.unstubAllEnvs()
    await nodes.stop()
  })

  /** Waits until every client has seen enough, or one of them something wrong. */
  const everybody = async (enough: (seen: LoadClient['seen'], place: number) => boolean): Promise<void> => {
    const isDone = (): boolean =>
      load.some(({ seen }) => seen.wrong.length > 0) || load.every(({ seen }, place) => enough(seen, place))
    while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 20))
  }

  test('both nodes worked, before and after; nobody got anything but an answer or nothing', () => {
    for (const { seen } of load) {
      expect(seen.wrong).toEqual([])
      for (const node of [nodes.a, nodes.b]) expect(has(seen.refreshedBy, node, 6)).toBe(true)
    }
  })

  test('V02 no refresh token has two successors', () => {
    for (const { seen } of load) {
      expect(seen.successors.size).toBeGreaterThan(10)
      for (const successors of seen.successors.values()) expect(successors.size).toBe(1)
    }
  })

  test('V01 no code was redeemed twice', () => {
    expect(redemptions.filter((count) => count > 1)).toEqual([])
    expect(redemptions).toContain(1)
  })

  test('no grant is lost: the newest tokens of everybody are good at both nodes', async () => {
    for (const client of load) {
      nodes.balancer.sendTo(nodes.b.port)
      const { access_token: token } = await readTokens(
        await refresh(nodes.balancer.url, client.clientId, client.tokens().refresh_token),
      )
      for (const node of [nodes.a, nodes.b]) {
        nodes.balancer.sendTo(node.port)
        expect((await call(resource, token, 'tools/list')).status).toBe(200)
      }
    }
    nodes.balancer.sendTo(undefined)
  })

  test.each(['a', 'b'] as const)('every call that node %s answered stands in its log', (name) => {
    const node = nodes[name]
    const logged = decidedIn(node)
    const answered = load.flatMap(({ seen }) => seen.calls).filter(({ port }) => port === node.port)
    expect(answered.length).toBeGreaterThan(0)
    expect(answered.filter(({ traceparent }) => !logged.has(traceparent))).toEqual([])
  })
})

const toPort = ({ port }: { readonly port: number }): number => port

function has(ports: readonly number[], { port }: Node, count: number): boolean {
  return ports.filter((each) => each === port).length >= count
}

/** The `traceparent` of every decision in a node's log. */
function decidedIn({ directory }: Node): ReadonlySet<unknown> {
  const log = join(directory, 'data', 'log')
  return new Set(
    readdirSync(log)
      .filter((name) => name.endsWith('.jsonl'))
      .flatMap((name) => readFileSync(join(log, name), 'utf8').trim().split('\n'))
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
      .filter(({ kind, outcome }) => kind === 'decision' && outcome === 'open')
      .map(({ traceparent }) => traceparent),
  )
}
