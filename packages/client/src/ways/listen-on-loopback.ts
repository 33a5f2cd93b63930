import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Refusal } from '@warder/protocol'

/** Two listeners that act as one. */
export interface LoopbackListener {
  readonly port: number
  close(): Promise<void>
}

/** A random port may be free on 127.0.0.1 and taken on [::1]; then another one is tried. */
const attempts = 20

/**
 * Listens on 127.0.0.1 and on [::1] at the same port, and nowhere else (Q09): `localhost` is whichever of them the browser tries
 * first, and a port that is ours on one of them alone would leave the other, and with it the code, to whoever takes it (Q10).
 *
 * `port` must be free on both, else `sign-in.port`. Without it, `wanted` is tried and then random ones.
 */
export async function listenOnLoopback(
  answer: RequestListener,
  { port, wanted }: { readonly port?: number | undefined; readonly wanted?: number | undefined },
): Promise<LoopbackListener> {
  const ports =
    port === undefined ? [...(wanted === undefined ? [] : [wanted]), ...Array(attempts).fill(0)] : [port]
  for (const candidate of ports) {
    const listener = await listenOnBoth(answer, candidate)
    if (listener !== undefined) return listener
  }
  throw new Refusal('sign-in.port', {
    detail: port === undefined ? 'no port is free' : `port ${port} is taken`,
  })
}

async function listenOnBoth(answer: RequestListener, port: number): Promise<LoopbackListener | undefined> {
  const first = await listen(answer, '127.0.0.1', port)
  if (typeof first === 'string') return undefined
  const bound = (first.address() as AddressInfo).port
  const second = await listen(answer, '::1', bound)
  if (second === 'taken') {
    await close(first)
    return undefined
  }
  // A computer without IPv6: nobody else can have the port there either.
  const servers = second === 'absent' ? [first] : [first, second]
  return { port: bound, close: async () => void (await Promise.all(servers.map(close))) }
}

async function listen(
  answer: RequestListener,
  host: string,
  port: number,
): Promise<Server | 'taken' | 'absent'> {
  const server = createServer(
    { maxHeaderSize: 32_768, requestTimeout: 10_000, headersTimeout: 10_000 },
    answer,
  )
  server.maxConnections = 64
  try {
    await once(server.listen({ host, port, exclusive: true, ipv6Only: host === '::1' }), 'listening')
    return server
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (code === 'EADDRINUSE' || code === 'EACCES') return 'taken'
    if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT') return 'absent'
    throw error
  }
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve)
    server.closeAllConnections()
  })
}
