import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The local listener of an MCP client: where the browser ends up with the code. */
export interface CallbackListener {
  readonly url: string
  /** The next answer that the browser brings. */
  next(): Promise<{ readonly params: URLSearchParams; readonly headers: IncomingHttpHeaders }>
  /** The headers of every request that came, also for other paths. */
  readonly seen: readonly IncomingHttpHeaders[]
  close(): void
}

export async function listenForCallback(): Promise<CallbackListener> {
  type Answer = Awaited<ReturnType<CallbackListener['next']>>
  const waiting: ((answer: Answer) => void)[] = []
  const arrived: Answer[] = []
  const seen: IncomingHttpHeaders[] = []
  const server = createServer((req, res) => {
    seen.push(req.headers)
    const url = new URL(req.url ?? '/', 'http://localhost')
    res.setHeader('content-type', 'text/html').end('<p>callback received</p>')
    if (url.pathname !== '/callback') return
    const answer = { params: url.searchParams, headers: req.headers }
    const waiter = waiting.shift()
    if (waiter === undefined) arrived.push(answer)
    else waiter(answer)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/callback`,
    next() {
      const answer = arrived.shift()
      return answer === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(answer)
    },
    seen,
    close: () => void server.close(),
  }
}
