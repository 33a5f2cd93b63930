import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { everything, runWarder } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from '../protect/claim-owner.ts'
import { call, refresh, type Tokens } from '../protect/scripted-sign-in.ts'
import { type Authorized, authorize, readTokens } from './authorize.ts'
import { type Node, type Nodes, startNodes } from './start-nodes.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
/** A user who is added while one node sleeps. */
const newcomer: Owner = { email: 'ann@example.com', password: 'a password of Ann' }

const policyWith = (...tools: string[]): string => `
version: 1
servers:
  everything:
    run: ${JSON.stringify([process.execPath, everything, 'stdio'])}
    scopes:
      everything:read: { title: Use the harmless tools, basic: true }
    tools:
${tools.map((tool) => `      - { match: ${tool}, scopes: [everything:read] }`).join('\n')}
access:
  - { who: { user: owner }, client: any, may: [everything:read] }
  - { who: { user: ${newcomer.email} }, client: any, may: [everything:read] }
`
const first = policyWith('echo', 'get-sum')

/** What a change of one node takes to reach another is a poll, 250 ms; this is for machines that are busy. */
const soon = { timeout: 15_000, interval: 50 }

describe('two nodes on one database', () => {
  let nodes: Nodes
  let resource: string

  beforeAll(async () => {
    nodes = await startNodes(first)
    vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl)
    resource = `${nodes.balancer.url}/everything/mcp`
    nodes.balancer.sendTo(nodes.a.port)
    await claimOwner(nodes.a.directory, owner)
  })

  afterAll(async () => {
    vi.unstubAllEnvs()
    await nodes.stop()
  })

  const begin = (before?: Parameters<typeof authorize>[2]): Promise<Authorized> =>
    authorize({ issuer: nodes.balancer.url, resource }, owner, before)
  const signInAt = async (node: Node): Promise<Tokens & { readonly clientId: string }> => {
    nodes.balancer.sendTo(node.port)
    const { clientId, redeem } = await begin()
    return { clientId, ...(await readTokens(await redeem())) }
  }
  /** The answer to a tool call at one node: its status and its body. */
  const callAt = async (node: Node, { access_token: token }: Tokens, name = 'echo'): Promise<string> => {
    nodes.balancer.sendTo(node.port)
    const answer = await call(resource, token, 'tools/call', {
      name,
      arguments: { message: 'hello', a: 1, b: 2 },
    })
    return `${answer.status} ${await answer.text()}`
  }
  const said = (node: Node): string => node.process().said()

  test('both have one issuer and one key, and each is ready by itself', async () => {
    for (const node of [nodes.a, nodes.b]) {
      expect(node.process().issuer).toBe(nodes.balancer.url)
      expect((await fetch(`${node.ownUrl}/readyz`)).status).toBe(200)
    }
    const keys = await nodes.postgres.query(
      'select kid from warder.signing_keys',
      new URL(nodes.databaseUrl).pathname.slice(1),
    )
    expect(keys.length).toBe(1)
  })

  test('signed in through one, called through the other with the same token', async () => {
    const tokens = await signInAt(nodes.a)
    expect(await callAt(nodes.b, tokens)).toContain('Echo: hello')
    expect(await callAt(nodes.a, tokens)).toContain('Echo: hello')
    nodes.balancer.sendTo(nodes.b.port)
    expect((await refresh(nodes.balancer.url, tokens.clientId, tokens.refresh_token)).status).toBe(200)
  })

  test('begun at one, signed in there, consented at the other, redeemed at the first', async () => {
    const { a, b } = nodes
    const places = { register: b, authorize: a, login: a, consent: b }
    const { redeem } = await begin((part) => nodes.balancer.sendTo(places[part].port))
    nodes.balancer.sendTo(a.port)
    const tokens = await readTokens(await redeem())
    expect(await callAt(b, tokens)).toContain('Echo: hello')
    nodes.balancer.sendTo(b.port)
    expect(await (await redeem()).json()).toMatchObject({ error: 'invalid_grant' })
  })

  test('H14 a node that slept asks for the news before it refuses somebody whom it does not know', async () => {
    const { a, b } = nodes
    const data = join(a.directory, 'data')
    process.kill(b.process().pid, 'SIGSTOP')
    try {
      await runWarder(a.directory, ['user', 'add', newcomer.email, '--data', data], `${newcomer.password}\n`)
      nodes.balancer.sendTo(a.port)
      const { redeem } = await authorize({ issuer: nodes.balancer.url, resource }, newcomer)
      const tokens = await readTokens(await redeem())
      const answer = callAt(b, tokens)
      process.kill(b.process().pid, 'SIGCONT')
      expect(await answer).toContain('Echo: hello')
    } finally {
      process.kill(b.process().pid, 'SIGCONT')
    }
  })

  test('revoked at one, refused by the other, which lets others go on', async () => {
    const { a, b } = nodes
    const [revoked, kept] = [await signInAt(a), await signInAt(a)]
    expect(await callAt(b, revoked)).toContain('Echo: hello')
    nodes.balancer.sendTo(a.port)
    const body = new URLSearchParams({ token: revoked.refresh_token, client_id: revoked.clientId })
    expect((await fetch(`${nodes.balancer.url}/revoke`, { method: 'POST', body })).status).toBe(200)
    await expect.poll(() => callAt(b, revoked), soon).toMatch(/^401 /)
    expect(await callAt(b, kept)).toContain('Echo: hello')
  })

  test('N19 a policy that one publishes is in force on the other, and a narrower one closes its streams', async () => {
    const { a, b } = nodes
    const tokens = await signInAt(a)
    expect(await callAt(b, tokens, 'get-sum')).toContain('The sum of 1 and 2 is 3')
    const stream = await call(resource, tokens.access_token, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    const ended = stream.text()
    a.writePolicy(policyWith('echo'))
    await expect
      .poll(() => said(b), soon)
      .toMatch(/Policy 2, which \S+ published at .*, and is in force:\n {2}narrower/)
    expect(said(a)).toMatch(
      /warder\.yaml has changed \(policy 2 of the database\), and is in force:\n {2}narrower/,
    )
    await ended
    for (const node of [a, b])
      expect(await callAt(node, tokens, 'get-sum')).toContain('Unknown tool: get-sum')

    b.writePolicy(policyWith('echo', 'get-sum', 'get-tiny-image'))
    await expect.poll(() => said(a), soon).toMatch(/Policy 3, which .*\n {2}wider/)
    for (const node of [a, b])
      expect(await callAt(node, tokens, 'get-sum')).toContain('The sum of 1 and 2 is 3')
  })

  test('an older file does not win: not at a start, not on a node that is behind; where it was in force, going back counts', async () => {
    const { a, b } = nodes
    const tokens = await signInAt(a)
    expect(await a.process().stop()).toBe(0)
    await a.start()
    expect(said(a)).toMatch(
      /Policy 3, which \S+ published at .* UTC, is newer than warder\.yaml and stays in force\./,
    )
    expect(await callAt(a, tokens, 'get-sum')).toContain('The sum of 1 and 2 is 3')

    a.writePolicy(first)
    await expect.poll(() => said(a).match(/stays in force/g)?.length, soon).toBe(2)
    expect(await callAt(b, tokens, 'get-sum')).toContain('The sum of 1 and 2 is 3')

    b.writePolicy(policyWith('echo'))
    await expect.poll(() => said(a), soon).toMatch(/Policy 4, which .*\n {2}narrower/)
    for (const node of [a, b])
      expect(await callAt(node, tokens, 'get-sum')).toContain('Unknown tool: get-sum')
  })

  test('V07 without the database: calls go on, then 503; a policy of that time is published when it is back', async () => {
    const { a, b } = nodes
    const tokens = await signInAt(a)
    await nodes.postgres.crash()
    await expect.poll(() => said(b), soon).toContain('the database does not answer')
    a.writePolicy(policyWith('get-sum', 'echo'))
    await expect.poll(() => said(a), soon).toContain('the database does not take it')
    for (const node of [a, b]) {
      await expect.poll(() => callAt(node, tokens), soon).toMatch(/^503 /)
      expect((await fetch(`${node.ownUrl}/readyz`)).status).toBe(503)
      expect((await fetch(`${node.ownUrl}/healthz`)).status).toBe(200)
    }
    await nodes.postgres.restart()
    for (const node of [a, b]) {
      await expect.poll(() => callAt(node, tokens, 'get-sum'), soon).toContain('The sum of 1 and 2 is 3')
      expect(said(node)).toContain('The database answers again.')
      expect((await fetch(`${node.ownUrl}/readyz`)).status).toBe(200)
    }
  })
})
