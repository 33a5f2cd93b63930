import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { type BrowserWayOptions, browserWay, type Handoff } from '@warder/client'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ask } from './ask.ts'
import { createDesktop, type FakeDesktop } from './fake-desktop.ts'

/** An authorization server that says yes to everybody at once. */
let server: Server
const ends: (() => unknown)[] = []

beforeAll(async () => {
  server = createServer((req, res) => {
    const asked = new URL(req.url ?? '', 'http://localhost').searchParams
    const answer = new URLSearchParams({ code: 'the-code', state: asked.get('state') ?? '' })
    res.writeHead(302, { Location: `${asked.get('redirect_uri')}?${answer}` }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterAll(() => server.close())

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

function start(does: 'follow' | 'nothing' | 'fail', options: Partial<BrowserWayOptions> = {}) {
  const desktop: FakeDesktop = createDesktop(does)
  const said: string[] = []
  const way = browserWay({
    env: desktop.env,
    platform: 'linux',
    say: (line) => said.push(line),
    ...options,
  })
  ends.push(
    () => way.close(),
    () => desktop.end(),
  )
  return { desktop, said, way }
}

const state = 'the-state-of-this-sign-in'

async function requestOf(way: ReturnType<typeof browserWay>, signal = new AbortController().signal) {
  const [redirectUri = ''] = await way.redirectUris()
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/authorize?${new URLSearchParams({ redirect_uri: redirectUri, state })}`
  return { url, state, redirectUri, signal }
}

const headless = { env: {} }
const answerOf = (redirectUri: string): string => `${redirectUri}?code=the-code&state=${state}`

describe('a sign-in in a browser', () => {
  test('the browser is opened, and brings the answer back', async () => {
    const { way, desktop, said } = start('follow')
    const request = await requestOf(way)
    expect(await way.authorize(request)).toBe(answerOf(request.redirectUri))
    expect(said.join('\n')).toContain('Your browser opens now')
    await expect.poll(() => desktop.calls()).toHaveLength(1)
    const [{ args, env } = { args: [], env: {} }] = desktop.calls()
    expect(args).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43}$/)])
    for (const seen of [args.join(' '), JSON.stringify(env), said.join('\n')])
      for (const secret of [state, 'the-code']) expect(seen).not.toContain(secret)
  })

  test('Q01 an address that is none for a browser is refused before anything is opened or shown', async () => {
    const { way, desktop, said } = start('follow')
    const request = await requestOf(way)
    for (const url of ['javascript:alert(1)', 'file:///etc/passwd', 'http://as.example/authorize'])
      await expect(way.authorize({ ...request, url })).rejects.toMatchObject({ reason: 'sign-in.url' })
    expect([desktop.calls(), said]).toEqual([[], []])
    await way.authorize(request)
  })

  test('a browser that cannot be started: the address is shown, and the answer may be pasted', async () => {
    const input = new PassThrough()
    const { way, said } = start('fail', { input })
    const request = await requestOf(way)
    const answer = way.authorize(request)
    await expect.poll(() => said.join('\n')).toContain(request.url)
    input.write(`${answerOf(request.redirectUri)}\n`)
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('Q10 answers to other sign-ins are told once, however many come, and end nothing', async () => {
    const { way, said } = start('nothing')
    const request = await requestOf(way)
    const answer = way.authorize(request)
    for (const other of ['a', 'b', 'c'])
      expect((await ask(`${request.redirectUri}?error=access_denied&state=${other}`)).status).toBe(404)
    expect(said.filter((line) => line.includes('another sign-in'))).toHaveLength(1)
    await ask(answerOf(request.redirectUri))
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('nobody comes: it ends, and another one can begin', async () => {
    const { way } = start('nothing', { timeoutMs: 20 })
    const request = await requestOf(way)
    await expect(way.authorize(request)).rejects.toMatchObject({ reason: 'sign-in.timeout' })
    expect((await ask(answerOf(request.redirectUri))).status).toBe(404)
  })

  test('of two sign-ins by the same way, the end of one leaves the other its listener', async () => {
    const { way } = start('nothing')
    const run = async (name: string): Promise<string> => {
      const request = { ...(await requestOf(way)), state: name }
      uris.set(name, request.redirectUri)
      return way.authorize(request).finally(() => way.close())
    }
    const uris = new Map<string, string>()
    const [one, two] = [run('one'), run('two')]
    await expect.poll(() => uris.size).toBe(2)
    for (const [name, answer] of [
      ['one', one],
      ['two', two],
    ] as const) {
      await ask(`${uris.get(name)}?code=c&state=${name}`)
      expect(await answer).toBe(`${uris.get(name)}?code=c&state=${name}`)
    }
    await expect(ask(uris.get('one') ?? '')).rejects.toThrow('ECONNREFUSED')
  })

  test('who gives up hears the reason', async () => {
    const { way } = start('nothing')
    const ended = new AbortController()
    const answer = way.authorize(await requestOf(way, ended.signal))
    ended.abort(new Error('given up'))
    await expect(answer).rejects.toThrow('given up')
  })

  test('no browser, and nowhere to paste: it is refused at once', async () => {
    const { way } = start('follow', headless)
    await expect(way.authorize(await requestOf(way))).rejects.toMatchObject({
      reason: 'sign-in.browser',
      message: 'sign-in.browser: there is no display',
    })
  })
})

describe('a sign-in whose answer is pasted', () => {
  const begin = async (options: Partial<BrowserWayOptions> = {}) => {
    const input = new PassThrough()
    const started = start('follow', { noBrowser: true, input, ...options })
    const request = await requestOf(started.way)
    const answer = started.way.authorize(request)
    answer.catch(() => {})
    return { ...started, input, request, answer }
  }

  test.each([
    ['the whole address', (redirectUri: string) => answerOf(redirectUri)],
    ['it with blanks around it', (redirectUri: string) => `  ${answerOf(redirectUri)}\t`],
    ['what stands behind the ?', () => `code=the-code&state=${state}`],
    ['that with the ?', () => `?code=the-code&state=${state}`],
    ['the whole address with a # at its end', (redirectUri: string) => `${answerOf(redirectUri)}#`],
    ['it with the fragment that some servers add', (redirectUri: string) => `${answerOf(redirectUri)}#_=_`],
  ])('%s is taken, and no browser is opened', async (_name, paste) => {
    const { input, request, answer, said, desktop } = await begin()
    expect(said.join('\n')).toContain(request.url)
    input.write(`\n${paste(request.redirectUri)}\n`)
    expect(await answer).toBe(answerOf(request.redirectUri))
    expect(desktop.calls()).toEqual([])
    expect(said.join('\n')).not.toContain('the-code')
  })

  test.each([
    ['the answer to another sign-in', 'code=other&state=another', 'another sign-in'],
    ['two states', `code=c&state=${state}&state=x`, 'another sign-in'],
    ['a state in a fragment', `code=c#&state=${state}`, 'Copy the whole address'],
    ['a code alone', 'the-code', 'Copy the whole address'],
    ['the start of the address', 'http://127.0.0.1', 'Copy the whole address'],
    ['an address of another host', `https://evil.example/callback?code=c&state=${state}`, 'must begin with'],
    ['a command', 'git status --short', 'not an address'],
    ['20 kB', `code=${'a'.repeat(20_000)}&state=${state}`, 'not an address'],
  ])('CL-63 %s is refused in words, and the right one still taken', async (_name, line, words) => {
    const { input, request, answer, said } = await begin()
    input.write(`${line}\n`)
    await expect.poll(() => said.at(-1)).toContain(words)
    expect(said.at(-1)).not.toContain(line)
    input.write(`${answerOf(request.redirectUri)}\n`)
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('a browser on this computer brings it without pasting', async () => {
    const { request, answer } = await begin()
    await fetch(request.url)
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('the end of the input does not end the wait for the browser', async () => {
    const { input, request, answer } = await begin()
    input.end()
    await fetch(request.url)
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('without anywhere to paste, the address is shown all the same', async () => {
    const { way, said } = start('follow', { noBrowser: true })
    const request = await requestOf(way)
    const answer = way.authorize(request)
    expect(said.join('\n')).toContain(request.url)
    expect(said.join('\n')).not.toContain('paste')
    await fetch(request.url)
    expect(await answer).toBe(answerOf(request.redirectUri))
  })

  test('nobody comes: it ends', async () => {
    const { answer } = await begin({ timeoutMs: 20 })
    await expect(answer).rejects.toMatchObject({ reason: 'sign-in.timeout' })
  })
})

describe('a sign-in that somebody else shows', () => {
  test('the address is handed over with its end, and the answer is waited for', async () => {
    const handed: Handoff[] = []
    const { way, desktop, said } = start('follow', { handOff: (handoff) => handed.push(handoff) })
    const request = await requestOf(way)
    const before = Date.now()
    const answer = way.authorize(request)
    expect(handed).toEqual([{ authorizationUrl: request.url, expiresAt: expect.any(Number) }])
    expect(handed[0]?.expiresAt).toBeGreaterThanOrEqual(before + 600_000)
    await fetch(request.url)
    expect(await answer).toBe(answerOf(request.redirectUri))
    expect([desktop.calls(), said]).toEqual([[], []])
  })

  test('what it throws ends the sign-in', async () => {
    const handOff = (): never => {
      throw new Error('nobody here')
    }
    const { way } = start('follow', { handOff })
    await expect(way.authorize(await requestOf(way))).rejects.toThrow('nobody here')
  })
})
