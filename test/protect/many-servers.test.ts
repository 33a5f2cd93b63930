import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  everything,
  runWarder,
  startEverythingOverHttp,
  startWarder,
  type WarderProcess,
} from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { call, signIn } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }

/** Two servers in one file: a command and a URL. */
const policyFor = (url: string): string => `
version: 1
servers:
  notes:
    run: ${JSON.stringify([process.execPath, everything, 'stdio'])}
    scopes:
      notes:read: { title: Read notes, basic: true }
    tools:
      - { match: echo, scopes: [notes:read] }
  tickets:
    url: ${url}
    scopes:
      tickets:read: { title: Read tickets, basic: true }
    tools:
      - { match: get-sum, scopes: [tickets:read] }
access:
  - { who: { user: owner }, client: any, may: [notes:read, tickets:read] }
`

describe('warder protect with several servers in one policy file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-many-'))
  let upstream: Awaited<ReturnType<typeof startEverythingOverHttp>>
  let warder: WarderProcess
  const tokens: Record<string, string> = {}

  beforeAll(async () => {
    upstream = await startEverythingOverHttp()
    writeFileSync(join(directory, 'warder.yaml'), policyFor(upstream.url))
    warder = await startWarder({ directory, args: ['--port', '0'] })
    await claimOwner(directory, owner)
    for (const { name, endpoint } of warder.servers) {
      const signedIn = await signIn({ issuer: warder.issuer, resource: endpoint, ...owner })
      tokens[name] = signedIn.tokens.access_token
    }
  })

  afterAll(async () => {
    await warder.stop('SIGKILL')
    await upstream.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const endpointOf = (name: string): string =>
    warder.servers.find((server) => server.name === name)?.endpoint ?? ''
  const echo = (name: string, token: string): Promise<Response> =>
    call(endpointOf(name), tokens[token] ?? '', 'tools/call', {
      name: 'echo',
      arguments: { message: 'hello' },
    })

  /** The sample server over HTTP speaks the revisions with sessions only. */
  const connectToTickets = async (): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode: 'legacy' } })
    const headers = { authorization: `Bearer ${tokens['tickets']}` }
    const url = new URL(endpointOf('tickets'))
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit: { headers } }))
    return client
  }

  test('each stands at its own path, with its own tools and a proof of its own', () => {
    expect(warder.servers.map(({ name, endpoint }) => [name, endpoint])).toEqual([
      ['notes', `${warder.issuer}/notes/mcp`],
      ['tickets', `${warder.issuer}/tickets/mcp`],
    ])
    for (const { tools, proof } of warder.servers) {
      expect(tools.map(({ name }) => name)).toContain('echo')
      expect(proof.filter(({ outcome }) => outcome === 'failed')).toEqual([])
      expect(proof.length).toBeGreaterThan(0)
    }
    const scopeOf = (server: number, tool: string): string | null | undefined =>
      warder.servers[server]?.tools.find(({ name }) => name === tool)?.scope
    expect([scopeOf(0, 'echo'), scopeOf(1, 'echo')]).toEqual(['notes:read', null])
  })

  test('G12 G31 a token for one is refused at the other, of the same issuer and the same user', async () => {
    expect((await echo('notes', 'notes')).status).toBe(200)
    const refused = await echo('notes', 'tickets')
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
    const other = await call(endpointOf('tickets'), tokens['notes'] ?? '', 'tools/list')
    expect(other.status).toBe(401)
    const { tools } = await (await connectToTickets()).listTools()
    expect(tools.map(({ name }) => name)).toEqual(['get-sum'])
  })

  test('each decides by its own rules', async () => {
    const client = await connectToTickets()
    const sum = await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 40 } })
    expect(JSON.stringify(sum.content)).toContain('42')
    const echoed = client.callTool({ name: 'echo', arguments: { message: 'hello' } })
    await expect(echoed).rejects.toThrow('Unknown tool')
  })

  test('RS-02 each has its metadata at the path-inserted place; none stands at the root', async () => {
    for (const { name, endpoint } of warder.servers) {
      const { origin, pathname } = new URL(endpoint)
      const metadata = await (await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`)).json()
      expect(metadata).toMatchObject({ resource: endpoint, authorization_servers: [warder.issuer] })
      const challenge = await fetch(endpoint, { method: 'POST' })
      expect(challenge.headers.get('www-authenticate')).toContain(
        `resource_metadata="${origin}/.well-known/oauth-protected-resource/${name}/mcp"`,
      )
    }
    expect((await fetch(`${warder.issuer}/.well-known/oauth-protected-resource`)).status).toBe(404)
  })

  test('a server that is not in the file is nowhere', async () => {
    const token = tokens['notes'] ?? ''
    expect((await call(`${warder.issuer}/payments/mcp`, token, 'tools/list')).status).toBe(404)
    const metadata = `${warder.issuer}/.well-known/oauth-protected-resource/payments/mcp`
    expect((await fetch(metadata)).status).toBe(404)
  })

  test('another Warder on the same state is refused, in one clear line', async () => {
    const second = await runWarder(directory, ['protect', '--port', '0', '--data', join(directory, 'data')])
    expect(second).toMatchObject({ code: 1, out: '' })
    expect(second.err).toContain(`another Warder uses this state directory: ${join(directory, 'data')}`)
  })

  test('--name protects that one alone, and then its metadata stands at the root too', async () => {
    const alone = join(directory, 'alone')
    const one = await startWarder({
      directory,
      args: ['--port', '0', '--name', 'tickets', '--data', alone],
    })
    expect(one.servers.map(({ name }) => name)).toEqual(['tickets'])
    const root = await (await fetch(`${one.issuer}/.well-known/oauth-protected-resource`)).json()
    expect(root).toMatchObject({ resource: `${one.issuer}/tickets/mcp` })
    expect(await one.stop()).toBe(0)
  })

  test('one upstream that does not start is the end of the start, and is named', async () => {
    const broken = policyFor('http://127.0.0.1:9/mcp')
    writeFileSync(join(directory, 'broken.yaml'), broken)
    const data = join(directory, 'broken')
    const args = ['protect', '--port', '0', '--policy', 'broken.yaml', '--data', data]
    const { code, err, out } = await runWarder(directory, args)
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain('warder: tickets does not answer as an MCP server')
    expect(err).not.toContain('    at ')
  })

  test('a name that is not in the file', async () => {
    const { code, err } = await runWarder(directory, ['protect', '--name', 'payments', '--port', '0'])
    expect([code, err]).toEqual([1, expect.stringContaining('(notes, tickets)')])
  })
})
