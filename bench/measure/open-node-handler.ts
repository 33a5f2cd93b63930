import { createServer, type RequestListener } from 'node:http'
import { duplexPair } from 'node:stream'

/** A handler of node:http without a socket: what the operating system has to do for one does not come into it. */
export interface OpenNodeHandler {
  /** Sends a request of HTTP/1.1 as text and answers the text of its response, which must be chunked. One at a time. */
  ask(request: string): Promise<string>
  close(): void
}

export function openNodeHandler(handler: RequestListener): OpenNodeHandler {
  const [client, socket] = duplexPair()
  createServer(handler).emit('connection', socket)
  let text = ''
  let told = (_: string): void => undefined
  client.setEncoding('latin1').on('data', (part: string) => {
    text += part
    if (text.endsWith('\r\n0\r\n\r\n') || !text.startsWith('HTTP/1.1 200 ')) told(text)
  })
  return {
    ask(request) {
      text = ''
      return new Promise((resolve) => {
        told = resolve
        client.write(request, 'latin1')
      })
    },
    close: () => void client.destroy(),
  }
}
