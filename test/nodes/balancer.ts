import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The header that says which port answered. */
export const answeredBy = 'x-answered-by'

/** The one address in front of all nodes. It tries nothing twice: a node that breaks off is a 502 for the client. */
export interface Balancer {
  readonly url: string
  /** From now on everything goes to the node on this port; undefined: to one after the other. */
  sendTo(port: number | undefined): void
  close(): Promise<void>
}

export async function startBalancer(ports: readonly number[]): Promise<Balancer> {
  let only: number | undefined
  let turn = 0
  const pick = (): number => only ?? ports[turn++ % ports.length] ?? 0

  const forward = (req: IncomingMessage, res: ServerResponse): void => {
    const port = pick()
    const { method, url, rawHeaders } = req
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers: rawHeaders, agent: false })
    onward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, [...answer.rawHeaders, answeredBy, String(port)])
      answer.on('error', () => res.destroy())
      answer.pipe(res)
    })
    onward.on('error', () => {
      if (res.headersSent) res.destroy()
      else res.writeHead(502, { [answeredBy]: String(port) }).end()
    })
    res.on('close', () => onward.destroy())
    req.pipe(onward)
  }

  const server = createServer(forward)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    sendTo(port) {
      only = port
    },
    async close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
