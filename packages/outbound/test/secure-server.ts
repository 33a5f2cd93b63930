import type { IncomingMessage } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** A real TLS server on loopback that answers `{}`, and what it read. */
export interface SecureServer extends AsyncDisposable {
  readonly port: number
  readonly requests: {
    readonly line: string
    readonly headers: IncomingMessage['headers']
    readonly body: string
  }[]
  /** The common name of each client certificate that was presented and fits. */
  readonly clients: (string | undefined)[]
}

export async function serveSecurely(options: ServerOptions): Promise<SecureServer> {
  const requests: SecureServer['requests'] = []
  const clients: SecureServer['clients'] = []
  const server = createServer(options, async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const socket = request.socket as TLSSocket
    const { CN } = socket.getPeerCertificate().subject ?? {}
    clients.push(socket.authorized ? String(CN) : undefined)
    requests.push({
      line: `${request.method} ${request.url}`,
      headers: request.headers,
      body: Buffer.concat(parts).toString(),
    })
    response.end('{}')
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    clients,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
