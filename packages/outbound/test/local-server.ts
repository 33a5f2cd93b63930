import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'

/** A real HTTP server on loopback that remembers what reached it. */
export interface LocalServer extends AsyncDisposable {
  readonly port: number
  readonly origin: string
  readonly requests: IncomingMessage[]
  connections: number
}

export async function serve(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<LocalServer> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    response.on('error', () => {})
    handle(request, response)
  })
  server.on('connection', () => {
    local.connections += 1
  })
  await new Promise<void>((done, failed) => server.once('error', failed).listen(port, host, done))
  const bound = (server.address() as AddressInfo).port
  const local: LocalServer = {
    port: bound,
    origin: `http://${host}:${bound}`,
    requests,
    connections: 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
  return local
}

/** A TCP listener that speaks raw bytes; `received` is all that came in, over all connections. */
export interface RawServer extends AsyncDisposable {
  readonly port: number
  readonly received: Buffer[]
  connections: number
}

export async function listen(reply: string | undefined): Promise<RawServer> {
  const received: Buffer[] = []
  const sockets = new Set<{ destroy: () => void }>()
  const server = createTcpServer((socket) => {
    raw.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received.push(data)
      if (reply !== undefined) socket.end(reply, 'latin1')
    })
  })
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done))
  const raw: RawServer = {
    port: (server.address() as AddressInfo).port,
    received,
    connections: 0,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
  return raw
}
