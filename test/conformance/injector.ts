import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * The suite cannot send a token, so this adds one, and changes nothing else: foreign values of Host and Origin stay as they are,
 * only the injector's own address becomes that of the target.
 */
export async function startInjector(
  target: string,
  token: string,
): Promise<{ readonly url: string; stop(): void }> {
  const { host, port, pathname } = new URL(target)
  const server = createServer((req, res) => {
    const own = `localhost:${(server.address() as AddressInfo).port}`
    const headers = req.rawHeaders.map((value) =>
      value === own ? host : value === `http://${own}` ? `http://${host}` : value,
    )
    const { method, url: path } = req
    const onward = request({ host: '127.0.0.1', port, method, path, setHost: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 500, answer.rawHeaders)
      res.flushHeaders()
      answer.pipe(res)
    })
    for (let index = 0; index < headers.length; index += 2)
      onward.appendHeader(headers[index] ?? '', headers[index + 1] ?? '')
    onward.setHeader('authorization', `Bearer ${token}`)
    onward.on('error', () => res.destroy())
    res.on('close', () => onward.destroy())
    req.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}${pathname}`,
    stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}
