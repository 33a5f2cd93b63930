import {
  createServer,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '../problem.ts'
import { isLocalhost } from './is-localhost.ts'
import type { TlsFiles } from './load-tls.ts'
import { type SocketLimits, socketLimits } from './socket-limits.ts'

/** The open server sockets: `localhost` is two addresses, and both are ours. */
export interface Listening {
  readonly port: number
  /** Begins to answer; until then every request gets 503. */
  answer(listener: RequestListener): void
  /** Takes no new requests and answers those that are in progress, for so many milliseconds at most. */
  finish(patience: number): Promise<void>
  /** Ends all connections and sockets. */
  close(): Promise<void>
}

/** Listens; as `localhost` on 127.0.0.1 and, where the machine has it, ::1, so that nobody else can be `localhost` there. */
export async function listen(options: {
  readonly host: string
  readonly port: number
  readonly server: ServerOptions
  /** Certificate and key, as PEM; without them plain HTTP is spoken. */
  readonly tls?: TlsFiles | undefined
  /** Whether all connections come from a proxy of ours. */
  readonly trustProxy?: boolean
  readonly limits?: SocketLimits
}): Promise<Listening> {
  const refuse: RequestListener = (_req, res) => void res.writeHead(503, { 'retry-after': '2' }).end()
  let listener = refuse
  const hosts = isLocalhost(options.host) ? ['127.0.0.1', '::1'] : [options.host]
  const inProgress = new Set<ServerResponse>()
  const answer: RequestListener = (req, res) => {
    inProgress.add(res)
    res.once('close', () => inProgress.delete(res))
    listener(req, res)
  }
  const limit = socketLimits(options)
  // Who says nothing is not waited for longer because a handshake would come before the head.
  const { headersTimeout: handshakeTimeout = 60_000 } = options.server
  const servers: (Server | TlsServer)[] = []
  let port = options.port
  try {
    for (const host of hosts) {
      const server =
        options.tls === undefined
          ? createServer(options.server, answer)
          : createTlsServer(
              { ...options.server, ...options.tls, minVersion: 'TLSv1.2', handshakeTimeout },
              answer,
            )
      limit(server)
      const opened = await open(server, host, port)
      if (opened === undefined) continue
      port = opened
      servers.push(server)
    }
  } catch (error) {
    await Promise.all(servers.map(shut))
    throw error
  }
  return {
    port,
    answer(given) {
      listener = given
    },
    async finish(patience) {
      // What a client sends from now on, on a connection that it has, goes to another node.
      listener = (req, res) => {
        res.setHeader('connection', 'close')
        refuse(req, res)
      }
      for (const res of inProgress) if (!res.headersSent) res.setHeader('connection', 'close')
      for (const server of servers) server.close()
      const answered = [...inProgress].map((res) => new Promise((resolve) => res.once('close', resolve)))
      await Promise.race([Promise.all(answered), delay(patience, undefined, { ref: false })])
    },
    close: async () => void (await Promise.all(servers.map(shut))),
  }
}

function open(server: Server | TlsServer, host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new Problem(
            `port ${port} on ${host} is in use. Stop what listens there, or pick another by --port.`,
          ),
        )
      else if (error.code === 'EACCES')
        reject(new Problem(`port ${port} may not be used by this user. Pick another by --port.`))
      // A machine without IPv6 has no ::1 for anybody else to take, either.
      else if (host === '::1' && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT'))
        resolve(undefined)
      else reject(new Problem(`cannot listen on ${host}:${port}: ${error.message}`))
    })
    server.listen({ host, port, ipv6Only: host === '::1' }, () =>
      resolve((server.address() as AddressInfo).port),
    )
  })
}

function shut(server: Server | TlsServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
