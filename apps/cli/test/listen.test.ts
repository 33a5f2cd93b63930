import { once } from 'node:events'
import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { readInput } from '../src/command.ts'
import { protect } from '../src/commands/protect.ts'
import { listen } from '../src/protect/listen.ts'
import { type ProtectOptions, readProtectOptions } from '../src/protect/read-options.ts'

/** Opens Warder's door and says at which of these addresses its port is still free. */
async function freeBeside(host: string, addresses: readonly string[]): Promise<string[]> {
  const door = await listen({ host, port: 0, server: {} })
  onTestFinished(door.close)
  const free: string[] = []
  for (const address of addresses) {
    const other = createServer().listen(door.port, address)
    const heard = await once(other, 'listening').then(
      () => true,
      () => false,
    )
    if (heard) free.push(address)
    other.close()
  }
  return free
}

test('localhost is taken on 127.0.0.1, whichever of its names was given', async () => {
  expect(await freeBeside('127.0.0.1', ['127.0.0.1'])).toEqual([])
  expect(await freeBeside('localhost', ['127.0.0.1'])).toEqual([])
})

// Elsewhere 127.0.0.2 has to be set up first.
test.runIf(process.platform === 'linux')('another address of this computer is taken alone', async () => {
  expect(await freeBeside('127.0.0.2', ['127.0.0.1', '127.0.0.2'])).toEqual(['127.0.0.1'])
})

test('which is not where localhost leads, so that somebody has to say what does', () => {
  const read = (...argv: string[]): ProtectOptions => readProtectOptions(readInput(protect, argv))
  expect(() => read('--host', '127.0.0.2')).toThrow('--public-url is needed')
  const given = read('--host', '127.0.0.2', '--public-url', 'https://mcp.example.com')
  expect(given.publicUrl(8765)).toBe('https://mcp.example.com')
  for (const host of ['127.0.0.1', '::1', 'localhost'])
    expect(read('--host', host).publicUrl(8765)).toBe('http://localhost:8765')
})
