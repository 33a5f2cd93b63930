import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { McpMessage, Refusal } from '@warder/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isAlive } from './is-alive.ts'
import { child, type Served, serve } from './serve.ts'
import { callTool, envelope, eventually, post, type Wire } from './talk.ts'

const open: Served[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(open.splice(0).map((served) => served.close()))
})

const start = async (...args: Parameters<typeof serve>): Promise<Served> => {
  const served = await serve(...args)
  open.push(served)
  return served
}

describe('what a child sees', () => {
  test('PX-24 CL-75 P01 its environment is the named variables and the few without which nothing runs', async () => {
    vi.stubEnv('DATABASE_URL', 'postgres://secret')
    vi.stubEnv('NODE_OPTIONS', '--no-warnings')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('TZ', 'Europe/Rome')
    const { url } = await start(child('odd-server.mjs'), { env: { NOTES_KEY: 'k', LANG: 'it_IT.UTF-8' } })
    const { env } = await callTool(url, 'environment')
    expect(env).toMatchObject({
      NOTES_KEY: 'k',
      LANG: 'it_IT.UTF-8',
      TZ: 'Europe/Rome',
      PATH: process.env['PATH'],
    })
    const allowed = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NOTES_KEY']
    expect(Object.keys(env).filter((name) => !allowed.includes(name))).toEqual([])
  })

  test('P02 it runs where it was told to, with umask 077, and Warder keeps its own', async () => {
    const before = process.umask()
    const { url } = await start(child('odd-server.mjs'), { cwd: '/' })
    expect(await callTool(url, 'environment')).toMatchObject({ cwd: '/', umask: 0o077 })
    expect(process.umask()).toBe(before)
  })

  test('P11 a secret of its environment stands in no command line', async () => {
    const secret = 'canary-secret-of-the-server'
    const { url } = await start(child('odd-server.mjs'), { env: { API_KEY: secret } })
    const { env, pid } = await callTool(url, 'environment')
    expect(env.API_KEY).toBe(secret)
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid,args'], { maxBuffer: 16 * 1024 * 1024 })
    expect(stdout).toMatch(new RegExp(`^\\s*${pid} `, 'm'))
    expect(stdout).not.toContain(secret)
  })

  test('P03 no shell reads its arguments', async () => {
    const script = 'process.stderr.write(JSON.stringify(process.argv.slice(1)))'
    const odd = ['$(id)', '; true', '`id`', '*']
    const served = await start([process.execPath, '-e', script, ...odd])
    await expect(served.host.inspect()).rejects.toMatchObject({
      notes: { detail: expect.stringContaining(JSON.stringify(odd)) },
    })
  })
})

const isWaiting = async (url: string): Promise<boolean> => {
  const received: Wire[] = await callTool(url, 'received')
  return received.some(({ params }) => params?.name === 'wait')
}

describe('how a child ends', () => {
  test('a crash answers what was open in words, and the next request starts another child', async () => {
    const { url } = await start(child('odd-server.mjs'))
    const before = (await callTool(url, 'environment')).pid
    const waiting = callTool(url, 'wait').catch(String)
    await eventually(() => isWaiting(url)).toBe(true)
    const words = '-32603 The MCP server behind Warder exited with code 7 before it answered.'
    await expect(callTool(url, 'crash')).rejects.toThrow(words)
    expect(await waiting).toContain(words)
    expect((await callTool(url, 'environment')).pid).not.toBe(before)
  })

  test('P05 a line of 50 MB ends it; the client gets an error, and no other user notices', async () => {
    const { url } = await start(child('odd-server.mjs'))
    const other = (await callTool(url, 'environment', {}, { owner: 'other' })).pid
    const pid = (await callTool(url, 'environment')).pid
    await expect(callTool(url, 'line-of-50-mb')).rejects.toThrow(
      '-32603 The MCP server behind Warder sent a message of more than 8 MiB before it answered.',
    )
    await eventually(() => isAlive(pid)).toBe(false)
    expect((await callTool(url, 'environment', {}, { owner: 'other' })).pid).toBe(other)
    expect((await callTool(url, 'environment')).pid).not.toBe(pid)
  })

  test('P05 an answer nested a hundred thousand times ends it, and not Warder', async () => {
    const { url } = await start(child('odd-server.mjs'))
    await expect(callTool(url, 'deep')).rejects.toThrow('sent a message that is nested too deeply')
    expect(await callTool(url, 'level')).toBe('info')
  })

  test('P10 a child that does not read gets no more than 32 MiB to wait for; others go on', async () => {
    const { url, host } = await start(child('odd-server.mjs'))
    await callTool(url, 'deaf')
    const params = { name: 'echo', arguments: { text: 'x'.repeat(9 * 1024 * 1024) }, _meta: envelope }
    const value = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
    const send = (owner: string): Promise<unknown> => {
      const message: McpMessage = {
        ...value,
        kind: 'request',
        version: '2026-07-28',
        value,
        bytes: new Uint8Array(),
      }
      const signal = new AbortController().signal
      return host.handle({ httpMethod: 'POST', owner, clientId: 'client-1', headers: {}, message, signal })
    }
    const waiting = [1, 2, 3, 4].map(() => send('alice'))
    await eventually(() => send('alice').catch((error: Refusal) => error.reason)).toBe('upstream.busy')
    expect(await callTool(url, 'level', {}, { owner: 'other' })).toBe('info')
    await host.close()
    await Promise.all(waiting)
  })

  test('P05 bytes that are no JSON, on either output, reach nobody; the answer does', async () => {
    const { url, log } = await start(child('odd-server.mjs'))
    expect(await callTool(url, 'garbage')).toBe('the true answer')
    const lines = log.filter(({ event }) => event === 'child.stderr').map(({ line }) => String(line))
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(2000)
  })

  test('P10 a child that only computes holds up nobody else, and can be ended', async () => {
    const { url, host } = await start(child('odd-server.mjs'))
    const pid = (await callTool(url, 'environment')).pid
    const spinning = callTool(url, 'spin').catch(String)
    expect(await callTool(url, 'level', {}, { owner: 'other' })).toBe('info')
    await host.close()
    expect(await spinning).toContain('was stopped before it answered')
    expect(isAlive(pid)).toBe(false)
  })

  test('P05 a long answer below the limit comes whole', async () => {
    const { url } = await start(child('odd-server.mjs'))
    const text = 'ü'.repeat(2_000_000)
    const { args } = await callTool(url, 'echo', { text })
    expect(args.text === text).toBe(true)
  })

  test('P07 after close() nothing of it is left, even of children that ignore SIGTERM and fork', async () => {
    const served = await serve(child('stubborn-server.mjs'))
    const all: number[][] = await Promise.all(
      ['a', 'b', 'c'].map((owner) => callTool(served.url, 'any', {}, { owner })),
    )
    expect(all.flat().every(isAlive)).toBe(true)
    await served.close()
    expect(all.flat().filter(isAlive)).toEqual([])
  }, 15_000)

  test('P07 a polite child is gone without a signal, in many cycles', async () => {
    const pids: number[] = []
    for (let cycle = 0; cycle < 4; cycle++) {
      const { url, close, log } = await serve(child('odd-server.mjs'))
      pids.push((await callTool(url, 'environment')).pid)
      await close()
      expect(log.find(({ event }) => event === 'child.exit')).toMatchObject({ code: 0, signal: null })
    }
    expect(pids.filter(isAlive)).toEqual([])
  })

  test('P07 when Warder itself exits without a word, the groups end with it', async () => {
    const script = `
      const { createStdioHost } = await import(${JSON.stringify(fileURLToPath(new URL('../src/index.ts', import.meta.url)))})
      const { readMcpMessage } = await import('@warder/protocol')
      const host = createStdioHost({ command: ${JSON.stringify(child('stubborn-server.mjs'))}, env: {} })
      const ask = async (owner, method, params, sessionId) => {
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
        const message = readMcpMessage(new TextEncoder().encode(body))
        const headers = sessionId === undefined ? {} : { sessionId }
        const signal = new AbortController().signal
        return host.handle({ httpMethod: 'POST', owner, clientId: 'c', message, headers, signal })
      }
      const hello = await ask('a', 'initialize', { protocolVersion: '2025-11-25' })
      const answer = await ask('a', 'tools/call', { name: 'any' }, hello.headers['mcp-session-id'])
      process.stdout.write(new TextDecoder().decode(answer.body))
      process.exit(0)`
    const args = ['--conditions=@warder/source', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: import.meta.dirname })
    const pids: number[] = JSON.parse(JSON.parse(stdout).result.content[0].text)
    expect(pids).toHaveLength(2)
    await eventually(() => pids.filter(isAlive)).toEqual([])
  })

  test('close() ends open requests and streams, and later calls are refused', async () => {
    const served = await serve(child('odd-server.mjs'))
    await callTool(served.url, 'environment')
    const waiting = callTool(served.url, 'wait').catch(String)
    await eventually(() => isWaiting(served.url)).toBe(true)
    await served.host.close()
    expect(await waiting).toContain('-32603 The MCP server behind Warder was stopped before it answered.')
    expect(
      (await post(served.url, { method: 'initialize', params: { protocolVersion: '2025-11-25' } })).status,
    ).toBe(502)
    await served.close()
  })
})
