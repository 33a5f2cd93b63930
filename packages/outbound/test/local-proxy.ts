import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'

/** A real proxy on loopback, which leads every host to one port of loopback, and keeps all it could read. */
export interface LocalProxy extends AsyncDisposable {
  readonly url: string
  /** What CONNECT was asked for. */
  readonly tunnels: { readonly authority: string | undefined; readonly headers: IncomingHttpHeaders }[]
  /** Requests in the clear: method and target. */
  readonly requests: { readonly line: string; readonly headers: IncomingHttpHeaders }[]
  /** All bytes that went through tunnels, both ways. */
  readonly seen: Buffer[]
}

export async function startProxy(
  target: number,
  { status = 200, identity }: { status?: number; identity?: { key: string; cert: string } } = {},
): Promise<LocalProxy> {
  const sockets = new Set<Socket>()
  const proxy: Omit<LocalProxy, 'url' | typeof Symbol.asyncDispose> = { tunnels: [], requests: [], seen: [] }
  const server = identity ? createSecureServer(identity) : createServer()
  server.on('request', (request, response) => {
    proxy.requests.push({ line: `${request.method} ${request.url}`, headers: request.headers })
    response.end('from the proxy')
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('connect', (request, socket: Socket) => {
    proxy.tunnels.push({ authority: request.url, headers: request.headers })
    socket.on('error', () => {})
    if (status === 0) return
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} no\r\n\r\nwords of the proxy`)
    const upstream = connect(target, '127.0.0.1', () => socket.write('HTTP/1.1 200 ok\r\n\r\n'))
    sockets.add(upstream)
    upstream.on('error', () => socket.destroy())
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      from.on('data', (data) => {
        proxy.seen.push(data)
        to.write(data)
      })
      from.on('close', () => to.destroy())
    }
    return undefined
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return {
    ...proxy,
    url: `${identity ? 'https' : 'http'}://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((done) => server.close(done))
    },
  }
}
