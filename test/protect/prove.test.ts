import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  everything,
  runWarder,
  startEverythingOverHttp,
  startWarder,
  type WarderProcess,
} from '../e2e/warder-process.ts'

interface Proof {
  readonly failed: number
  readonly rows: readonly { readonly id: string; readonly outcome: string; readonly says: string }[]
}

describe('warder prove', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-prove-'))
  let warder: WarderProcess

  beforeAll(async () => {
    warder = await startWarder({
      directory,
      args: ['--port', '0', '--name', 'everything', '--', process.execPath, everything, 'stdio'],
    })
  })
  afterAll(async () => {
    await warder.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const prove = async (url: string): Promise<{ code: number | null; proof: Proof }> => {
    const { code, out, err } = await runWarder(directory, ['prove', url, '--json'])
    expect(out, err).not.toBe('')
    return { code, proof: JSON.parse(out) }
  }
  const outcomes = ({ rows }: Proof): Record<string, string> =>
    Object.fromEntries(rows.map(({ id, outcome }) => [id, outcome]))

  test('RS-03 RS-12 RS-35 a protected server passes everything', async () => {
    const { code, proof } = await prove(warder.endpoint)
    expect(code).toBe(0)
    expect(outcomes(proof)).toEqual({
      'no-credentials': 'passed',
      'older-revision': 'passed',
      'unauthenticated-list': 'passed',
      'open-stream': 'passed',
      'garbage-token': 'passed',
      'alg-none': 'passed',
      'token-in-query': 'passed',
      'header-against-body': 'passed',
      'foreign-origin': 'passed',
      'resource-metadata': 'passed',
      transport: 'not-applicable',
      'server-metadata': 'passed',
      pkce: 'passed',
      flows: 'passed',
      algorithms: 'passed',
      'issuer-parameter': 'passed',
      registration: 'passed',
      endpoints: 'passed',
    })
  })

  test('RS-37 nobody but this computer reaches it, unless it is told so', async () => {
    const { port } = new URL(warder.endpoint)
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4')
      .map(({ address }) => address)
    const isOpen = (host: string): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = connect(Number(port), host)
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
        socket.once('connect', () => socket.destroy())
      })
    expect(await isOpen('127.0.0.1')).toBe(true)
    // Another address of loopback: who listens on all of them is reached there too.
    const elsewhere = process.platform === 'linux' ? ['127.0.0.2', ...others] : others
    for (const host of elsewhere) expect(await isOpen(host), host).toBe(false)
  })

  test('a table for people, and exit code 0', async () => {
    const { code, out } = await runWarder(directory, ['prove', warder.endpoint])
    expect(code).toBe(0)
    expect(out).toContain('Unsigned token (alg: none)')
    expect(out).toContain('No stranger gets in by these.')
  })

  test('a server without any protection fails', async () => {
    const upstream = await startEverythingOverHttp()
    const { code, proof } = await prove(upstream.url)
    expect(code).toBe(1)
    expect(outcomes(proof)).toMatchObject({
      'older-revision': 'failed',
      'unauthenticated-list': 'failed',
      'resource-metadata': 'failed',
    })
    await upstream.stop()
  })

  test('Q03 Q05 G02 a server that accepts anything signed by nobody, with metadata about others, fails', async () => {
    const server = await listen((req, res) => {
      const origin = `http://${req.headers.host}`
      const json = (value: unknown): void =>
        void res.setHeader('content-type', 'application/json').end(JSON.stringify(value))
      if (req.url?.includes('oauth-protected-resource'))
        return json({ resource: 'https://other.example/mcp', authorization_servers: [origin] })
      if (req.url?.includes('.well-known')) {
        return json({
          issuer: 'https://other.example',
          code_challenge_methods_supported: ['plain'],
          id_token_signing_alg_values_supported: ['none'],
        })
      }
      if (req.headers.authorization?.startsWith('Bearer '))
        return json({ jsonrpc: '2.0', id: 1, result: { tools: [] } })
      res
        .writeHead(401, {
          'www-authenticate': `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource"`,
        })
        .end()
    })
    const { code, proof } = await prove(`http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`)
    expect(code).toBe(1)
    expect(outcomes(proof)).toMatchObject({
      'no-credentials': 'passed',
      'garbage-token': 'failed',
      'alg-none': 'failed',
      'resource-metadata': 'failed',
      'server-metadata': 'failed',
      pkce: 'failed',
      algorithms: 'failed',
    })
    server.close()
  })

  test('an address where nothing listens is one clear line', async () => {
    const { code, err } = await runWarder(directory, ['prove', 'http://127.0.0.1:9/mcp'])
    expect(code).toBe(1)
    expect(err).toMatch(/^warder: .*127\.0\.0\.1:9/)
    expect(err).not.toContain('    at ')
  })
})

async function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
