import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Answer, WebRequest } from '@warder/authorization-server'
import { expect, onTestFinished, test } from 'vitest'
import { readWebRequest, writeAnswer } from '../src/protect/web-adapter.ts'

/** What the adapter reads of one request, and what it writes on the wire for an answer. */
async function pass(lines: readonly string[], answer: Answer): Promise<{ read: WebRequest; text: string }> {
  let read: WebRequest | 'too-large' = 'too-large'
  const server: Server = createServer(async (req, res) => {
    read = await readWebRequest(req, 'https://own.example')
    writeAnswer(answer, res)
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  if (read === 'too-large') throw new Error('too large')
  return { read, text }
}

const empty: Answer = { status: 303, headers: { Location: '/x' }, body: null }
const head = ['Host: evil.example', 'Connection: close']

test('headers are read as the platform reads them, those that come twice included', async () => {
  const sent: [string, string][] = [
    ['Authorization', 'Basic one'],
    ['authorization', 'Basic two'],
    ['Cookie', 'a=1'],
    ['COOKIE', 'b=2; c=3'],
    ['Content-Type', 'text/plain'],
    ['content-type', 'application/json'],
    ['Origin', 'https://one.example'],
    ['origin', 'https://two.example'],
    ['Accept', '\ttext/html '],
    ['sec_fetch_site', 'same-origin'],
    ['X-Empty', ''],
  ]
  const lines = sent.map(([name, value]) => `${name}: ${value}`)
  const { read } = await pass(['GET /authorize?a=%20b HTTP/1.1', ...head, ...lines], empty)
  const platform = new Headers(sent)
  for (const name of [...platform.keys(), 'sec-fetch-site', 'absent', '__proto__']) {
    expect([name, read.headers.get(name)]).toEqual([name, platform.get(name)])
    expect([name, read.headers.has(name)]).toEqual([name, platform.has(name)])
  }
  // The origin is never the Host header's.
  expect(read).toMatchObject({ method: 'GET', url: 'https://own.example/authorize?a=%20b', body: null })
})

test('a body is read whole, and one of no length is empty', async () => {
  const { read } = await pass(['POST /token HTTP/1.1', ...head, 'Content-Length: 3', '', 'a=b'], empty)
  expect(Buffer.from(read.body as Uint8Array).toString()).toBe('a=b')
  const none = await pass(['POST /token HTTP/1.1', ...head, 'Content-Length: 0'], empty)
  expect(none.read.body).toHaveLength(0)
})

test('an answer goes out whole: its length in bytes, and a list as so many headers', async () => {
  const headers = { 'Content-Type': 'text/html; charset=utf-8', 'Set-Cookie': ['a=1', 'b=2'] }
  const { text } = await pass(['GET / HTTP/1.1', ...head], { status: 400, headers, body: 'größer' })
  expect(text).toMatch(/^HTTP\/1\.1 400 /)
  expect(text).toMatch(/^content-length: 8\r$/im)
  expect(text.match(/^set-cookie: .*$/gim)).toEqual(['Set-Cookie: a=1', 'Set-Cookie: b=2'])
  expect(text.endsWith('\r\n\r\ngrößer')).toBe(true)

  const redirect = await pass(['GET / HTTP/1.1', ...head], empty)
  expect(redirect.text).toMatch(/^HTTP\/1\.1 303 /)
  expect(redirect.text.split('\r\n\r\n')[1]).toMatch(/^(?:0)?$/)
})

test('what would end a header and begin another is not written', async () => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const server = createServer((_req, res) => {
    try {
      writeAnswer({ status: 303, headers: { Location: '/x\r\nSet-Cookie: a=1' }, body: null }, res)
    } catch (error) {
      resolve(error)
      res.destroy()
    }
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const port = (server.address() as AddressInfo).port
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow()
  expect(await promise).toMatchObject({ code: 'ERR_INVALID_CHAR' })
})
