import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** A network between a client and a server, as bad as it is told to be. */
export interface FaultProxy {
  readonly port: number
  /** Where new connections go. */
  target: number
  /** For how long everything is on its way, in each direction: a database that is far away. */
  delayMs: number
  /** Bytes that went by since the last `arm`. */
  seen(direction: Direction): number
  /**
   * After this many further bytes in one direction, counted over all connections, the one that carried them is reset, or
   * stays open and carries nothing any more, nor does any new one.
   */
  arm(fault: { direction: Direction; bytes: number; kind: 'reset' | 'hang' }): void
  /** Good again, for new connections and for those that live. */
  disarm(): void
  /** Resets all connections. */
  resetAll(): void
  stop(): Promise<void>
}

export type Direction = 'to-server' | 'to-client'

/** Starts a TCP proxy on loopback in front of a port. */
export async function startFaultProxy(target: number): Promise<FaultProxy> {
  const seen: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 }
  const sockets = new Set<Socket>()
  let fault: Parameters<FaultProxy['arm']>[0] | undefined
  let isHung = false

  const send = (to: Socket, chunk: Buffer): void => {
    if (proxy.delayMs === 0) to.write(chunk)
    else setTimeout(() => to.write(chunk), proxy.delayMs)
  }

  const carry = (from: Socket, to: Socket, direction: Direction): void => {
    from.on('data', (chunk: Buffer) => {
      if (isHung) return
      const before = seen[direction]
      seen[direction] += chunk.length
      const cut = fault?.direction === direction ? fault.bytes - before : Number.POSITIVE_INFINITY
      if (cut > chunk.length) {
        send(to, chunk)
        return
      }
      if (cut > 0) to.write(chunk.subarray(0, cut))
      if (fault?.kind === 'hang') isHung = true
      else {
        fault = undefined
        // What was let through arrives; then both sides lose the connection.
        setTimeout(() => {
          from.resetAndDestroy()
          to.resetAndDestroy()
        }, 5)
        from.pause()
      }
    })
    from.on('close', () => {
      if (!isHung) to.destroy()
    })
    from.on('error', () => {})
  }

  const server = createServer((client) => {
    const upstream = connect(proxy.target, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    }
    carry(client, upstream, 'to-server')
    carry(upstream, client, 'to-client')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  const resetAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  const proxy: FaultProxy = {
    port: (server.address() as { port: number }).port,
    target,
    delayMs: 0,
    seen: (direction) => seen[direction],
    arm(next) {
      fault = next
      isHung = next.kind === 'hang' && next.bytes <= 0
      seen['to-client'] = 0
      seen['to-server'] = 0
    },
    disarm() {
      fault = undefined
      isHung = false
      proxy.delayMs = 0
    },
    resetAll,
    async stop() {
      resetAll()
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}
