import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { createOutbound } from '../src/index.ts'
import { listen } from './local-server.ts'
import { selfSigned } from './self-signed.ts'

const trusted = selfSigned('client.example')
const unknown = selfSigned('client.example')
const before = getCACertificates('default')
beforeAll(() => setDefaultCACertificates([trusted.cert]))
afterAll(() => setDefaultCACertificates(before))
afterEach(() => vi.unstubAllEnvs())

const fetch = createOutbound({
  dangerouslyAllowFetch: () => true,
  resolve: async () => [{ address: '127.0.0.1' }],
})

/** Fetches `https://NAME:PORT/` from a TLS server on loopback; answers the SNI it saw and the status or the reason. */
async function fetchOver(identity: { key: string; cert: string }, name: string): Promise<readonly unknown[]> {
  const names: unknown[] = []
  const server = createServer(identity, (request, response) => {
    names.push((request.socket as TLSSocket & { servername?: unknown }).servername)
    response.end('{}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  try {
    const answer = await fetch(`https://${name}:${port}/`, { accept: '*/*', maxBytes: 100 })
    return [answer.status, ...names]
  } catch (error) {
    return [(error as { reason?: unknown }).reason, ...names]
  } finally {
    await new Promise((done) => server.close(done))
  }
}

test('E12 the connection to the pinned address carries the name in SNI, and its certificate is checked against it', async () => {
  expect(await fetchOver(trusted, 'client.example')).toEqual([200, 'client.example'])
})

test('E12 a certificate for another name is refused', async () => {
  expect(await fetchOver(trusted, 'other.example')).toEqual(['outbound.unreachable'])
})

test('E12 a certificate for a name is refused for an address literal', async () => {
  expect(await fetchOver(trusted, '127.0.0.1')).toEqual(['outbound.unreachable'])
})

test('E15 an untrusted certificate is refused, whatever NODE_TLS_REJECT_UNAUTHORIZED says', async () => {
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
  expect(await fetchOver(unknown, 'client.example')).toEqual(['outbound.unreachable'])
})

test('HTTP/1.1 is spoken to a server that would rather speak HTTP/2', async () => {
  const versions: unknown[] = []
  const server = createSecureServer({ ...trusted, allowHTTP1: true }, (request, response) => {
    versions.push(request.httpVersion)
    response.end('{}')
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const answer = await fetch(`https://client.example:${port}/`, { accept: '*/*', maxBytes: 100 })
  await new Promise((done) => server.close(done))
  expect([answer.status, ...versions]).toEqual([200, '1.1'])
})

test('E07 a server that never answers the TLS handshake ends at the deadline', async () => {
  await using server = await listen(undefined)
  const answer = fetch(`https://client.example:${server.port}/`, {
    accept: '*/*',
    maxBytes: 100,
    timeoutMs: 500,
  })
  await expect(answer).rejects.toMatchObject({ reason: 'outbound.timeout' })
  expect(server.connections).toBe(1)
})
