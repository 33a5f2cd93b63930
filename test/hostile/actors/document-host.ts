import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import type { Answer } from '../row.ts'

/** An https host of client id metadata documents that serves what a row says, and a name server that lies. */
export interface DocumentHost {
  readonly host: string
  /** The certificate that a client must trust, as a file. */
  readonly ca: string
  /** Connections, whether or not a request came over them: an attack is one already when a socket opens. */
  hits(): number
  serve(path: string, answer: Answer): void
  stop(): Promise<void>
}

export async function startDocumentHost(directory: string): Promise<DocumentHost> {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }], {
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const ca = join(directory, 'documents.pem')
  writeFileSync(ca, cert)
  const documents = new Map<string, Answer>()
  let hits = 0
  const server = createServer({ cert, key }, (req, res) => {
    const answer = documents.get(req.url ?? '') ?? { status: 404 }
    res.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers })
    res.end(
      typeof answer.body === 'string' ? Buffer.from(answer.body, 'latin1') : JSON.stringify(answer.body),
    )
  })
  server.on('connection', () => {
    hits += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    ca,
    hits: () => hits,
    serve: (path, answer) => void documents.set(path, answer),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
