import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as it came, with its form read. */
export interface Seen {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly form: URLSearchParams
}

/** What the server answers; an object becomes JSON. */
export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
  /** Ends the connection without a word. */
  readonly hangUp?: boolean
}

export interface TokenServer {
  readonly issuer: string
  readonly seen: readonly Seen[]
  /** What comes next; the last answer is repeated. */
  answer(...answers: readonly (Answer | ((seen: Seen) => Answer | Promise<Answer>))[]): void
  stop(): Promise<void>
}

/** An authorization server of the test's own making, on loopback. */
export async function startTokenServer(): Promise<TokenServer> {
  const seen: Seen[] = []
  let answers: readonly (Answer | ((seen: Seen) => Answer | Promise<Answer>))[] = []
  const server = createServer(async (req, res) => {
    const request = await read(req)
    seen.push(request)
    const [next, ...later] = answers
    if (later.length > 0) answers = later
    const {
      status = 200,
      headers,
      body = '',
      hangUp,
    } = typeof next === 'function' ? await next(request) : (next ?? {})
    if (hangUp === true) return void req.socket.destroy()
    const isJson = typeof body === 'object'
    res.writeHead(status, { ...(isJson && { 'content-type': 'application/json' }), ...headers })
    res.end(isJson ? JSON.stringify(body) : body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (...given) => {
      answers = given
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function read(req: IncomingMessage): Promise<Seen> {
  let body = ''
  for await (const chunk of req) body += chunk
  return { path: req.url ?? '', headers: req.headers, body, form: new URLSearchParams(body) }
}
