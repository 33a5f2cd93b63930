import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LocalProxy, startProxy } from '../../../packages/outbound/test/local-proxy.ts'
import { selfSigned } from '../../../packages/outbound/test/self-signed.ts'
import type { ProofRow } from '../src/prove/proof.ts'
import { ownHome } from './client/own-home.ts'

const origin = 'https://mcp.example.com'
const metadata = `${origin}/.well-known/oauth-protected-resource/mcp`
const documents: Readonly<Record<string, object>> = {
  '/.well-known/oauth-protected-resource/mcp': { resource: `${origin}/mcp`, authorization_servers: [origin] },
  '/.well-known/oauth-authorization-server': { issuer: origin, code_challenge_methods_supported: ['S256'] },
}

describe('warder prove, where a proxy is the only way out', () => {
  const identity = selfSigned('mcp.example.com')
  /** A server that refuses everything, and publishes its metadata. */
  const server = createServer(identity, (request, response) => {
    const document = documents[request.url ?? '']
    if (document !== undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
      return
    }
    const error = request.headers.authorization === undefined ? '' : 'error="invalid_token", '
    response.writeHead(401, { 'www-authenticate': `Bearer ${error}resource_metadata="${metadata}"` }).end()
  })
  let proxy: LocalProxy
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    proxy = await startProxy((server.address() as AddressInfo).port)
  })
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]()
    server.closeAllConnections()
    server.close()
  })

  const home = () => {
    const authority = ownHome().write('ca.pem', identity.cert)
    return ownHome({ HTTPS_PROXY: proxy.url, SSL_CERT_FILE: authority })
  }

  test('it gets there, and what the server names too, through the proxy alone', async () => {
    const { code, out, err } = await home().warder(['prove', `${origin}/mcp`, '--json'])
    expect([code, err]).toEqual([0, ''])
    const { rows } = JSON.parse(out) as { rows: readonly ProofRow[] }
    const outcomes = Object.fromEntries(rows.map(({ id, outcome }) => [id, outcome]))
    expect(outcomes).toMatchObject({
      'no-credentials': 'passed',
      'garbage-token': 'passed',
      'alg-none': 'passed',
      'resource-metadata': 'passed',
      'server-metadata': 'passed',
    })
    expect(new Set(proxy.tunnels.map(({ authority }) => authority))).toEqual(new Set(['mcp.example.com:443']))
  })

  test('a setting of the network that cannot be used is one line', async () => {
    const { code, out, err } = await ownHome({ HTTPS_PROXY: 'socks5://127.0.0.1:1' }).warder([
      ...['prove', `${origin}/mcp`],
    ])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(/^warder: HTTPS_PROXY is not .*\n$/)])
  })

  test('CL-65 over plain http no token is sent beyond this computer, and the way is what fails', async () => {
    const before = proxy.requests.length
    const { code, out } = await ownHome({ HTTP_PROXY: proxy.url }).warder([
      ...['prove', 'http://mcp.example.com/mcp', '--json'],
    ])
    const { rows } = JSON.parse(out) as { rows: readonly ProofRow[] }
    const row = (id: string) => rows.find((one) => one.id === id)
    expect([code, row('transport')?.outcome]).toEqual([1, 'failed'])
    expect(row('garbage-token')).toMatchObject({
      outcome: 'not-applicable',
      says: expect.stringContaining('plain http'),
    })
    const seen = proxy.requests.slice(before)
    expect(seen.length).toBeGreaterThan(0)
    expect(seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([])
  })
})
