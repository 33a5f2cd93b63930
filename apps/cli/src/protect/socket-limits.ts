import type { Server, Socket } from 'node:net'
import { readPeerKey } from '@warder/authorization-server'

/** Connections that may be open at one time. */
export interface SocketLimits {
  /** Default 10,000. */
  readonly total?: number
  /** From one IPv4 address, or one /64 of IPv6; default 1,000. */
  readonly perAddress?: number
}

/**
 * Holds several servers to one set of limits (U07): a connection over them is closed before a byte of it is read. Who holds
 * idle ones loses them to the timeouts of the server. Behind a proxy of ours all come from one address, so only the total counts.
 */
export function socketLimits(options: {
  readonly trustProxy?: boolean
  readonly limits?: SocketLimits
}): (server: Server) => void {
  const { total = 10_000, perAddress = 1_000 } = options.limits ?? {}
  const byAddress = new Map<string, number>()
  let open = 0

  const take = (socket: Socket): void => {
    const origin = readPeerKey(socket.remoteAddress ?? '')
    const own = byAddress.get(origin) ?? 0
    if (open >= total || (options.trustProxy !== true && own >= perAddress)) {
      socket.destroy()
      return
    }
    open += 1
    byAddress.set(origin, own + 1)
    socket.once('close', () => {
      open -= 1
      const rest = (byAddress.get(origin) ?? 1) - 1
      if (rest > 0) byAddress.set(origin, rest)
      else byAddress.delete(origin)
    })
  }

  // In front of the HTTP parser, which then finds a closed socket.
  return (server) => void server.prependListener('connection', take)
}
