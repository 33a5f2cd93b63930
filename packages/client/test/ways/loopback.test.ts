import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Loopback, type LoopbackOddity, makeLoopback, readOpenableUrl } from '@warder/client'
import { afterEach, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'

const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

function start(options: Parameters<typeof makeLoopback>[0] = {}): Loopback {
  const loopback = makeLoopback(options)
  open.push(loopback)
  return loopback
}

const portOf = (uri: string | undefined): number => Number(new URL(uri ?? '').port)

async function occupy(host: string, port = 0): Promise<number> {
  const server: Server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, ipv6Only: true }, resolve)
  })
  open.push(server)
  return (server.address() as { port: number }).port
}

const running = new AbortController().signal

describe('the listener for the answer of a sign-in', () => {
  test('Q09 it listens at the same random port of 127.0.0.1 and [::1], and at no other address', async () => {
    const [uri = '', ...others] = await start().open()
    const port = portOf(uri)
    expect([uri, ...others]).toEqual([
      `http://127.0.0.1:${port}/callback`,
      `http://localhost:${port}/callback`,
    ])
    for (const host of ['127.0.0.1', '[::1]', 'localhost']) {
      expect((await ask(`http://${host}:${port}/callback?state=x`)).status).toBe(404)
    }
    const outer = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)
    const elsewhere = outer?.address ?? '127.0.0.2'
    await expect(ask(`http://${elsewhere}:${port}/callback`)).rejects.toThrow('ECONNREFUSED')
  })

  test('CL-63 the callback with our state ends the wait, and the whole address is handed on as it came', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const query = 'code=a%2Fb&state=s-1&iss=https%3A%2F%2Fas.example%2F'
    const page = await ask(`http://localhost:${portOf(redirectUri)}/callback?${query}`)
    expect([page.status, page.text]).toEqual([200, expect.stringContaining('You can close this tab')])
    expect(await answer).toBe(`${redirectUri}?${query}`)
  })

  test.each([
    ['with another state', 'code=stolen&state=s-2'],
    ['without a state', 'error=access_denied&error_description=given+up'],
    ['with two states', 'code=stolen&state=s-1&state=s-2'],
    ['with an empty state', 'code=stolen&state='],
  ])('Q10 CL-63 a callback %s ends nothing', async (_name, query) => {
    const oddities: LoopbackOddity[] = []
    const loopback = start({ notice: (oddity) => oddities.push(oddity) })
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const page = await ask(`${redirectUri}?${query}`)
    expect([page.status, page.text]).toEqual([404, expect.stringContaining('Look at your terminal')])
    expect(oddities).toEqual(['other-state'])
    expect((await ask(`${redirectUri}?code=right&state=s-1`)).status).toBe(200)
    expect(await answer).toBe(`${redirectUri}?code=right&state=s-1`)
  })

  test('Q09 CL-73 a page repeats nothing of the request, and allows itself nothing', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const evil = encodeURIComponent('<script>alert(1)</script> call 555-0100')
    const page = await ask(`${redirectUri}?error=${evil}&error_description=${evil}&state=s-1`)
    await answer
    expect(page.text).toContain('Look at your terminal')
    for (const words of ['alert', '555', 's-1', '<script']) expect(page.text).not.toContain(words)
    expect(page.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-[^']+'; /),
    })
  })

  test.each([
    ['another name', 'evil.example'],
    ['our name with another port', '127.0.0.1:1'],
    ['our name without the port', 'localhost'],
    ['two of them', 'both'],
  ])('Q09 a request whose Host is %s is refused', async (_name, hosts) => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const headers =
      hosts === 'both' ? ['host', new URL(redirectUri).host, 'host', 'evil.example'] : { host: hosts }
    const { status, text } = await ask(`${redirectUri}?code=c&state=s-1`, { headers })
    expect([status, text]).toEqual([421, ''])
    expect((await ask(`${redirectUri}?code=c&state=s-1`)).status).toBe(200)
    await answer
  })

  test.each(['POST', 'HEAD', 'OPTIONS'])('a callback by %s is refused', async (method) => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const { status, headers } = await ask(`${redirectUri}?code=c&state=s-1`, { method })
    expect([status, headers['allow']]).toEqual([405, 'GET'])
    expect((await ask(`${redirectUri}?code=c&state=s-1`)).status).toBe(200)
    await answer
  })

  test('an answer that comes twice is taken once', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: running })
    const statuses = await Promise.all(
      [1, 2].map(async () => (await ask(`${redirectUri}?code=c&state=s-1`)).status),
    )
    expect(statuses.sort()).toEqual([200, 404])
    await answer
  })

  test('several sign-ins wait side by side, in one listener and in several', async () => {
    const [one, two] = [start(), start()]
    const [[first = ''], [second = '']] = [await one.open(), await two.open()]
    expect(first).not.toBe(second)
    const waits = [
      one.wait({ state: 'a', redirectUri: first, signal: running }),
      one.wait({ state: 'b', redirectUri: first, signal: running }),
      two.wait({ state: 'a', redirectUri: second, signal: running }),
    ]
    for (const [uri, state] of [
      [second, 'a'],
      [first, 'b'],
      [first, 'a'],
    ] as const)
      await ask(`${uri}?code=${state}&state=${state}`)
    expect(await Promise.all(waits)).toEqual([
      `${first}?code=a&state=a`,
      `${first}?code=b&state=b`,
      `${second}?code=a&state=a`,
    ])
  })

  test('who gives up hears the reason, and the listener goes on', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    const ended = new AbortController()
    const answer = loopback.wait({ state: 's-1', redirectUri, signal: ended.signal })
    ended.abort(new Error('given up'))
    await expect(answer).rejects.toThrow('given up')
    expect((await ask(`${redirectUri}?code=c&state=s-1`)).status).toBe(404)
  })

  test('the end of one sign-in does not end the wait of another; the end of the last ends the listening', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    await loopback.open()
    const [one, two] = ['one', 'two'].map((state) => loopback.wait({ state, redirectUri, signal: running }))
    await ask(`${redirectUri}?code=a&state=one`)
    await one
    await loopback.close()
    expect((await ask(`${redirectUri}?code=b&state=two`)).status).toBe(200)
    expect(await two).toBe(`${redirectUri}?code=b&state=two`)
    await loopback.close()
    await expect(ask(redirectUri)).rejects.toThrow('ECONNREFUSED')
  })

  test.each(['free', 'taken'])(
    'a sign-in that comes to wait after the end of another has its port again; where it is %s',
    async (state) => {
      const loopback = start()
      const [redirectUri = ''] = await loopback.open()
      await loopback.close()
      if (state === 'taken') await occupy('127.0.0.1', portOf(redirectUri))
      const answer = loopback.wait({ state, redirectUri, signal: running })
      if (state === 'taken') return expect(answer).rejects.toMatchObject({ reason: 'sign-in.port' })
      await expect.poll(() => ask(redirectUri).catch(() => undefined)).toBeDefined()
      await ask(`${redirectUri}?code=c&state=${state}`)
      expect(await answer).toBe(`${redirectUri}?code=c&state=${state}`)
    },
  )

  test('nobody waits at a port that another sign-in has left for another one', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    await loopback.close()
    await occupy('127.0.0.1', portOf(redirectUri))
    await loopback.open()
    await expect(loopback.wait({ state: 's-1', redirectUri, signal: running })).rejects.toMatchObject({
      reason: 'sign-in.port',
    })
  })

  test('closed, it listens no more; opened again, it does', async () => {
    const loopback = start()
    const [redirectUri = ''] = await loopback.open()
    await loopback.close()
    await expect(ask(redirectUri)).rejects.toThrow('ECONNREFUSED')
    expect(await loopback.open([redirectUri])).toContain(redirectUri)
    expect((await ask(redirectUri)).status).toBe(404)
  })
})

describe('its port', () => {
  const free = async (): Promise<number> => {
    const loopback = makeLoopback()
    const [uri] = await loopback.open()
    await loopback.close()
    return portOf(uri)
  }

  test('a fixed one is http://localhost:PORT/callback, exactly', async () => {
    const port = await free()
    expect(await start({ port }).open()).toEqual([`http://localhost:${port}/callback`])
    for (const host of ['127.0.0.1', '[::1]'])
      expect((await ask(`http://${host}:${port}/callback`)).status).toBe(404)
  })

  test.each(['127.0.0.1', '::1'])(
    'Q10 a fixed one that another program has on %s is refused',
    async (host) => {
      const port = await occupy(host)
      await expect(start({ port }).open()).rejects.toMatchObject({ reason: 'sign-in.port' })
      // Nothing is left behind on the other address.
      const other = host === '::1' ? '127.0.0.1' : '::1'
      expect(await occupy(other, port)).toBe(port)
    },
  )

  test('that of an earlier registration is taken again, or another one when it is not free', async () => {
    const port = await free()
    const registered = [`http://127.0.0.1:${port}/callback`]
    expect((await start().open(registered)).map(portOf)).toEqual([port, port])
    const [beside] = await start().open(registered)
    expect(portOf(beside)).not.toBe(port)
    const [foreign] = await start().open([
      'https://client.example/callback',
      'http://127.0.0.1:99999/callback',
    ])
    expect(portOf(foreign)).toBeGreaterThan(0)
  })
})

describe('the link that a browser is started with', () => {
  const target = readOpenableUrl('https://as.example/authorize?state=s-1&code_challenge=c')

  test('Q16 it leads to the authorization URL once, and has nothing of it', async () => {
    const oddities: LoopbackOddity[] = []
    const loopback = start({ notice: (oddity) => oddities.push(oddity) })
    const [redirectUri = ''] = await loopback.open()
    const link = loopback.launch(target, redirectUri)
    expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[A-Za-z0-9_-]{43}$/)
    const first = await ask(link)
    expect([first.status, first.headers['location'], first.text]).toEqual([302, target, ''])
    expect(first.headers['referrer-policy']).toBe('no-referrer')
    const second = await ask(link)
    expect([second.status, second.headers['location']]).toEqual([410, undefined])
    expect(oddities).toEqual(['link-used-twice'])
  })

  test('a guessed one, one of another listener and one from before the end lead nowhere', async () => {
    const [loopback, other] = [start(), start()]
    const [[redirectUri = ''], [elsewhere = '']] = [await loopback.open(), await other.open()]
    const link = loopback.launch(target, redirectUri)
    const { origin, pathname } = new URL(link)
    for (const url of [
      `${origin}/start/x`,
      `${link}x`,
      `${origin}/`,
      `${new URL(elsewhere).origin}${pathname}`,
    ])
      expect((await ask(url)).status).toBe(404)
    await loopback.close()
    await loopback.open([redirectUri])
    expect((await ask(link)).status).toBe(404)
  })
})
