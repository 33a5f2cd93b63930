import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createOutbound, type OutboundFetch } from '@warder/outbound'
import { afterAll } from 'vitest'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface Documents {
  /** The real outbound fetch; `https://app.example` leads to the server of this test. */
  readonly fetch: OutboundFetch
  /** Serves a client id metadata document and answers its URL. */
  add(name: string, metadata: Record<string, unknown>, headers?: Record<string, string>): string
  /** Serves whatever is to be served under a name, and answers its URL. */
  serve(name: string, answer: Answer): string
  /** Requests so far, as `METHOD /path if-none-match`. */
  readonly requests: string[]
}

const origin = 'https://app.example'

/** A real http server with client id metadata documents. */
export async function makeDocuments(): Promise<Documents> {
  const answers = new Map<string, Answer>()
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url} ${request.headers['if-none-match'] ?? ''}`.trim())
    const answer = answers.get(request.url ?? '')
    if (answer === undefined) response.writeHead(404).end()
    else answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })
  const local = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const outbound = createOutbound({ dangerouslyAllowFetch: (url) => url.origin === local })
  const documents: Documents = {
    fetch: (url, request) => outbound(url.replace(origin, local), request),
    requests,
    serve(name, answer) {
      answers.set(`/${name}`, answer)
      return `${origin}/${name}`
    },
    add(name, metadata, headers = {}) {
      const url = `${origin}/${name}`
      const body = JSON.stringify({ client_id: url, client_name: 'Document client', ...metadata })
      return documents.serve(name, (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(body)
      })
    },
  }
  return documents
}
