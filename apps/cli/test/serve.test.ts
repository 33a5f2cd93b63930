import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthorizationServer } from '@warder/authorization-server'
import { createGateway, openDecisionLog } from '@warder/gateway'
import { expect, onTestFinished, test, vi } from 'vitest'
import { listen } from '../src/protect/listen.ts'
import { serve } from '../src/protect/serve.ts'

interface Answering {
  readonly port: number
  /** Methods of the requests that reached the authorization server. */
  readonly asked: readonly string[]
}

async function answering(ready: () => Promise<void> = async () => undefined): Promise<Answering> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-serve-'))
  const { port, answer, close } = await listen({ host: '127.0.0.1', port: 0, server: {} })
  const secret = randomBytes(32)
  const log = await openDecisionLog(join(dir, 'log'), { secret })
  onTestFinished(async () => {
    await close()
    await log.close()
    await rm(dir, { recursive: true })
  })
  const host = `localhost:${port}`
  const gateway = createGateway({ routes: [], log, secret, allowedHosts: [host], allowedOrigins: [] })
  const asked: string[] = []
  const authorizationServer: Pick<AuthorizationServer, 'answer'> = {
    answer: async ({ method }) => {
      asked.push(method)
      return { status: 200, headers: {}, body: 'here' }
    },
  }
  answer(serve({ publicUrl: `http://${host}`, gateway, authorizationServer, ready, trustProxy: false }))
  return { port, asked }
}

async function status({ port }: Answering, method: string, path: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  return text.slice(9, 12)
}

test('L21 a method that no Request can have is 405, and the terminal says nothing of it', async () => {
  const server = await answering()
  const noted = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  onTestFinished(() => noted.mockRestore())
  expect(await status(server, 'TRACE', '/token')).toBe('405')
  expect(server.asked).toEqual([])
  expect(noted).not.toHaveBeenCalled()
  expect(await status(server, 'GET', '/token')).toBe('200')
  expect(await status(server, 'DELETE', '/token')).toBe('200')
  expect(server.asked).toEqual(['GET', 'DELETE'])
})

test('U07 strangers who ask whether the server is ready, all at once, cost one look into the store', async () => {
  let looks = 0
  let isUp = true
  let release: () => void = () => undefined
  const server = await answering(async () => {
    looks += 1
    await new Promise<void>((resolve) => {
      release = resolve
    })
    if (!isUp) throw new Error('away')
  })
  const ask = (): Promise<string>[] => Array.from({ length: 40 }, () => status(server, 'GET', '/readyz'))
  for (const [up, said] of [
    [true, '200'],
    [false, '503'],
    [true, '200'],
  ] as const) {
    isUp = up
    looks = 0
    const answers = ask()
    await vi.waitFor(() => expect(looks).toBe(1))
    // Every one of them has been heard by the time that another question, asked behind them, was answered.
    expect(await status(server, 'GET', '/healthz')).toBe('200')
    release()
    // One that came late asks again.
    const late = setInterval(() => release(), 5)
    expect(new Set(await Promise.all(answers))).toEqual(new Set([said]))
    clearInterval(late)
    expect(looks).toBeLessThan(5)
  }
})
