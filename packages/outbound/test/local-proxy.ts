import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** A real proxy on loopback, which leads every host to one port of loopback, and keeps all it could read. */
export interface LocalProxy extends AsyncDisposable {
  readonly url: string
  /** What CONNECT was asked for, with the SNI of the connection to the proxy, and when the client closed it. */
  readonly tunnels: {
    readonly authority: string | undefined
    readonly headers: IncomingHttpHeaders
    readonly servername: unknown
    readonly closed: Promise<void>
  }[]
  /** Requests in the clear: method and target. */
  readonly requests: { readonly line: string; readonly headers: IncomingHttpHeaders }[]
  /** All bytes that went through tunnels, both ways. */
  readonly seen: Buffer[]
}

export async function startProxy(
  target: number,
  {
    status = 200,
    identity,
    early = '',
  }: {
    /** Below 200 and from 300 on there is no tunnel; 0 says nothing at all. */
    readonly status?: number
    readonly identity?: { readonly key: string; readonly cert: string }
    /** What the proxy says in the tunnel by itself, first of all. */
    readonly early?: string
  } = {},
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
    const closed = Promise.withResolvers<void>()
    socket.on('error', () => {})
    for (const end of ['end', 'close']) socket.on(end, () => closed.resolve())
    const { servername } = socket as TLSSocket & { readonly servername?: unknown }
    const { url: authority, headers } = request
    proxy.tunnels.push({ authority, headers, servername, closed: closed.promise })
    if (status === 0) return
    // Left open, so that it is the client that closes it.
    if (status < 200 || status > 299) {
      socket.resume().write(`HTTP/1.1 ${status} no\r\n\r\nwords of the proxy`)
      return
    }
    const upstream = connect(target, '127.0.0.1', () => socket.write(`HTTP/1.1 ${status} ok\r\n\r\n${early}`))
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
