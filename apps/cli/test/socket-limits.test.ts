import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../src/protect/listen.ts'
import type { SocketLimits } from '../src/protect/socket-limits.ts'

interface Door {
  /** A new connection. */
  connect(): Promise<Socket>
  /** Whether a request on it is answered; a connection that is closed answers none. */
  isAnswered(socket: Socket): Promise<boolean>
  readonly asked: () => number
}

async function openDoor(options: {
  readonly limits?: SocketLimits
  readonly trustProxy?: boolean
}): Promise<Door> {
  let asked = 0
  const door = await listen({ host: '127.0.0.1', port: 0, server: {}, ...options })
  onTestFinished(door.close)
  door.answer((_req, res) => {
    asked += 1
    res.end('here')
  })
  return {
    asked: () => asked,
    async connect() {
      const socket = connect(door.port, '127.0.0.1')
      socket.on('error', () => undefined)
      onTestFinished(() => void socket.destroy())
      await once(socket, 'connect')
      return socket
    },
    async isAnswered(socket) {
      if (socket.destroyed) return false
      socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n')
      const [said] = await Promise.race([once(socket, 'data'), once(socket, 'close')])
      return String(said).startsWith('HTTP/1.1 200')
    },
  }
}

test.each([
  ['of one address', { limits: { perAddress: 3 } }],
  ['in total', { limits: { total: 3 } }],
  ['in total, also behind a proxy', { limits: { total: 3, perAddress: 1 }, trustProxy: true }],
] as const)('U07 idle connections are capped: %s', async (_, options) => {
  const door = await openDoor(options)
  const idle = [await door.connect(), await door.connect(), await door.connect()]
  const over = await door.connect()
  expect(await door.isAnswered(over)).toBe(false)
  expect(door.asked()).toBe(0)
  for (const socket of idle) expect(await door.isAnswered(socket)).toBe(true)
  idle[0]?.destroy()
  // The place is free again as soon as the server has seen the end.
  let again = false
  while (!again) {
    again = await door.isAnswered(await door.connect())
    await delay(5)
  }
  expect(door.asked()).toBe(4)
})

test('U07 behind a proxy of ours its one address is no limit', async () => {
  const door = await openDoor({ limits: { perAddress: 1 }, trustProxy: true })
  await door.connect()
  expect(await door.isAnswered(await door.connect())).toBe(true)
})
