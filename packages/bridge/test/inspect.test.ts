import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Refusal } from '@warder/protocol'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { createStdioHost, inspectHttp, type UpstreamFacts } from '../src/index.ts'
import { child, everything, type Served, serve } from './serve.ts'

const closing: (() => unknown)[] = []
afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

const inspect = (command: readonly string[]): Promise<UpstreamFacts> => {
  const host = createStdioHost({ command, env: {} })
  closing.push(() => host.close())
  return host.inspect()
}

const refusal = async (promise: Promise<unknown>): Promise<{ reason: string; detail: string }> => {
  const error = (await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )) as Refusal
  return { reason: error.reason, detail: error.notes.detail ?? '' }
}

describe('inspect', () => {
  test('reads all pages of the tools, what else there is, and who it is', async () => {
    const facts = await inspect(child('odd-server.mjs'))
    expect(facts).toMatchObject({
      resources: true,
      prompts: [],
      serverInfo: { name: 'odd', version: '1.2.3' },
    })
    expect(facts.tools.length).toBeGreaterThan(10)
    expect(new Set(facts.tools.map(({ name }) => name)).size).toBe(facts.tools.length)
    expect(facts.tools.map(({ name }) => name)).toContain('fail')
  })

  test('reads a server of 2026-07-28, with what its tools claim', async () => {
    const { tools, prompts } = await inspect(child('stateless-server.mjs'))
    expect(prompts).toEqual([])
    expect(tools[0]).toEqual({
      name: 'echo',
      description: 'Says it again',
      annotations: { readOnlyHint: true },
    })
  })

  test('reads the official everything server', async () => {
    const facts = await inspect(everything)
    expect(facts).toMatchObject({ resources: true, prompts: expect.arrayContaining(['simple-prompt']) })
    expect(facts.tools.map(({ name }) => name)).toContain('get-env')
  })

  test('says that a command cannot be found', async () => {
    const { reason, detail } = await refusal(inspect(['/nowhere/no-such-server']))
    expect(reason).toBe('upstream.unreachable')
    expect(detail).toMatch(/no-such-server cannot be started: .*ENOENT/)
  })

  test('says that a command exits, and its last words', async () => {
    const script = "console.error('the key is missing'); process.exitCode = 3"
    const { reason, detail } = await refusal(inspect([process.execPath, '-e', script]))
    expect(reason).toBe('upstream.unreachable')
    expect(detail).toContain('exited with code 3')
    expect(detail).toContain('the key is missing')
  })

  test('says that a command does not speak MCP', async () => {
    const script = `process.stdin.on('data', (d) => { for (const l of String(d).trim().split('\\n'))
      console.log(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(l).id, error: { code: -32601, message: 'what?' } })) })`
    const { reason, detail } = await refusal(inspect([process.execPath, '-e', script]))
    expect(reason).toBe('upstream.unreachable')
    expect(detail).toContain('does not speak MCP: what?')
  })
})

describe('inspectHttp', () => {
  const listen = async (listener: RequestListener): Promise<string> => {
    const server: Server = createServer(listener)
    closing.push(() => {
      server.closeAllConnections()
      server.close()
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
  }
  /** As most machines have it for `localhost`, but not every container. */
  const resolveToBoth = (): void => {
    const { lookup } = dns
    onTestFinished(() => {
      dns.lookup = lookup
    })
    const both = [
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]
    dns.lookup = ((_name: string, _options: object, done: (error: null, found: object) => void) =>
      done(null, both)) as never
  }
  const serveChild = async (name: string): Promise<Served> => {
    const served = await serve(child(name))
    closing.push(() => served.close())
    return served
  }

  test('reads a server that anybody may call, and says that it is open', async () => {
    const { url } = await serveChild('odd-server.mjs')
    const facts = await inspectHttp(url)
    expect(facts).toMatchObject({ open: true, resources: true, prompts: [], serverInfo: { name: 'odd' } })
    expect(facts.tools.length).toBeGreaterThan(10)
  })

  test('reads a server that knows nothing newer than sessions', async () => {
    const served = await serveChild('odd-server.mjs')
    const url = await listen((request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', async () => {
        const body = Buffer.concat(parts)
        const old = !body.includes('server/discover') && request.method === 'POST'
        const headers = Object.fromEntries(
          Object.entries(request.headers).filter(([name]) => /^mcp|^x-|accept|type/.test(name)),
        )
        const answer = old
          ? await fetch(served.url, { method: 'POST', headers: headers as never, body })
          : undefined
        response.writeHead(answer?.status ?? 400, Object.fromEntries(answer?.headers ?? []))
        response.end(answer === undefined ? 'Bad Request' : await answer.text())
      })
    })
    expect((await inspectHttp(url)).serverInfo.name).toBe('odd')
  })

  test('says that a server wants credentials of its own', async () => {
    const url = await listen((_request, response) =>
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end(),
    )
    const { reason, detail } = await refusal(inspectHttp(url))
    expect(reason).toBe('upstream.unauthorized')
    expect(detail).toContain('wants credentials of its own')
  })

  test('says that there is something else, or nothing', async () => {
    const url = await listen((_request, response) => response.end('<html>'))
    expect(await refusal(inspectHttp(url))).toEqual({
      reason: 'upstream.unreachable',
      detail: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+: ./),
    })
    const nothing = await listen(() => undefined)
    await closing.pop()?.()
    const { reason, detail } = await refusal(inspectHttp(nothing))
    expect(reason).toBe('upstream.unreachable')
    expect(detail).toContain('ECONNREFUSED')
  })

  test('says why, also of a name with several addresses at which nothing listens', async () => {
    const nothing = new URL(await listen(() => undefined))
    await closing.pop()?.()
    nothing.hostname = 'two-addresses.test'
    resolveToBoth()
    const { reason, detail } = await refusal(inspectHttp(nothing.href))
    expect([reason, detail]).toEqual(['upstream.unreachable', expect.stringContaining('ECONNREFUSED')])
    expect(detail).toContain(`${nothing.origin}: `)
  })

  test('follows no redirect', async () => {
    const { url: target } = await serveChild('odd-server.mjs')
    const url = await listen((_request, response) => response.writeHead(307, { location: target }).end())
    expect(await refusal(inspectHttp(url))).toMatchObject({ reason: 'upstream.unreachable' })
  })
})
