import { connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createOutbound } from '../src/index.ts'
import { type SecureServer, serveSecurely } from './secure-server.ts'
import { selfSigned } from './self-signed.ts'

const own = selfSigned('as.example')
const ends: (() => unknown)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** Accepts connections, and leaves what happens on them to `meet`. */
async function listenAt(
  host: string,
  port: number,
  meet: (socket: Socket, nth: number) => void,
): Promise<number> {
  const sockets = new Set<Socket>()
  let nth = 0
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    nth += 1
    meet(socket, nth)
  })
  await new Promise<void>((done, failed) =>
    server.once('error', failed).listen({ host, port, ipv6Only: true }, done),
  )
  ends.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as { port: number }).port
}

async function answering(): Promise<SecureServer> {
  const server = await serveSecurely(own)
  ends.push(() => server[Symbol.asyncDispose]())
  return server
}

const outcomeAt = (port: number, addresses: readonly string[], timeoutMs: number): Promise<unknown> =>
  createOutbound({
    reach: 'loopback',
    network: { ca: [own.cert] },
    resolve: async () => addresses.map((address) => ({ address })),
  })(`https://as.example:${port}/`, { accept: '*/*', maxBytes: 100, timeoutMs }).then(
    ({ status }) => status,
    ({ reason }: { reason: string }) => reason,
  )

describe('a name with several addresses', () => {
  test('one that is silent leaves time for the next; twin: where all are silent, the deadline ends it', async () => {
    const { port } = await answering()
    await listenAt('::1', port, () => {})
    expect(await outcomeAt(port, ['::1', '127.0.0.1'], 10_000)).toBe(200)
    expect(await outcomeAt(port, ['::1', '::1'], 200)).toBe('outbound.timeout')
  })

  test('the only one may be slow, and is tried once', async () => {
    const { port } = await answering()
    let connections = 0
    const front = await listenAt('127.0.0.1', 0, (socket) => {
      connections += 1
      setTimeout(() => socket.pipe(connect(port, '127.0.0.1')).pipe(socket), 1200)
    })
    expect(await outcomeAt(front, ['127.0.0.1'], 10_000)).toBe(200)
    expect(connections).toBe(1)
  })

  test('one that was only slow is tried again where the others have failed', async () => {
    const { port } = await answering()
    const front = await listenAt('::1', 0, (socket, nth) => {
      if (nth > 1) socket.pipe(connect(port, '127.0.0.1')).pipe(socket)
    })
    expect(await outcomeAt(front, ['::1', '127.0.0.1'], 10_000)).toBe(200)
  })
})
