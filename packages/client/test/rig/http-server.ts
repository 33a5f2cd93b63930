import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** A request as it came. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** The body as a form. */
  readonly form: URLSearchParams
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** An object goes out as JSON. */
  readonly body?: unknown
}

export interface HttpServer {
  readonly origin: string
  /** Everything that came, in its order. */
  readonly seen: readonly Seen[]
  /** Of these, what came to a path. */
  at(path: string): readonly Seen[]
  stop(): Promise<void>
}

/** A real server on loopback that answers what it is told. */
export async function startHttpServer(
  answer: (request: Seen) => Answer | Promise<Answer>,
): Promise<HttpServer> {
  const seen: Seen[] = []
  const server = createServer(async (req, res) => {
    const [path = '', query = ''] = (req.url ?? '').split('?')
    const body = await text(req)
    const request: Seen = {
      method: req.method ?? '',
      path,
      query: new URLSearchParams(query),
      headers: req.headers,
      body,
      form: new URLSearchParams(body),
    }
    seen.push(request)
    const { status = 200, headers = {}, body: said } = await answer(request)
    const isText = typeof said === 'string' || said === undefined
    res.writeHead(status, { ...(!isText && { 'content-type': 'application/json' }), ...(headers as object) })
    res.end(isText ? said : JSON.stringify(said))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    at: (path) => seen.filter((request) => request.path === path),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
