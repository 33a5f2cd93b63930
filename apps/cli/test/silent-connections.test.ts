import { once } from 'node:events'
import { request } from 'node:https'
import { connect } from 'node:net'
import { generate } from 'selfsigned'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../src/protect/listen.ts'

const certificate = await generate([{ name: 'commonName', value: 'localhost' }], {
  extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
})
const tls = { cert: Buffer.from(certificate.cert), key: Buffer.from(certificate.private) }

test.each([
  ['of plain HTTP', undefined],
  ['of TLS, where not even a handshake came', tls],
])('L26 a silent connection %s is closed when the head of a request should have come', async (_, files) => {
  const server = { headersTimeout: 1_000, connectionsCheckingInterval: 50 }
  const door = await listen({ host: '127.0.0.1', port: 0, server, tls: files })
  onTestFinished(door.close)
  const socket = connect(door.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.resume()
  await expect(once(socket, 'close')).resolves.toBeDefined()
})

test('L26 one that speaks TLS is answered', async () => {
  const door = await listen({ host: '127.0.0.1', port: 0, server: { headersTimeout: 10_000 }, tls })
  onTestFinished(door.close)
  door.answer((_req, res) => res.end('here'))
  const asked = request({ host: 'localhost', port: door.port, ca: certificate.cert, agent: false }).end()
  const [res] = await once(asked, 'response')
  expect(res.statusCode).toBe(200)
  res.resume()
})
