import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stderr } from 'node:process'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { everything, startWarder, type WarderProcess } from '../../../test/e2e/warder-process.ts'
import { createRefusalLog } from '../src/protect/log-to-terminal.ts'

describe('the reference on a page', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-reference-'))
  let warder: WarderProcess
  beforeAll(async () => {
    warder = await startWarder({
      directory,
      args: ['--port', '0', '--name', 'everything', '--', process.execPath, everything, 'stdio'],
    })
  })
  afterAll(async () => {
    await warder.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const open = (clientId: string, redirect: string): Promise<Response> =>
    fetch(
      `${warder.issuer}/authorize?${new URLSearchParams({
        response_type: 'code',
        client_id: clientId,
        redirect_uri: redirect,
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
        resource: warder.endpoint,
      })}`,
      { headers: { accept: 'text/html' }, redirect: 'manual' },
    )

  test('E01 stands on standard error, with why the document of the client could not be had', async () => {
    const answer = await open('https://127.0.0.1:9/client.json', 'http://127.0.0.1:1/callback')
    expect(answer.status).toBe(400)
    const reference = /Reference for the log: <code>.*?([\w-]{8})/s.exec(await answer.text())?.[1]
    expect(reference).toBeDefined()
    const lines = (): string[] => warder.said().split('\n')
    await expect.poll(() => lines().filter((line) => line.includes(reference!))).toHaveLength(1)
    expect(lines().find((line) => line.includes(reference!))).toMatch(
      /^Note: refused \(reference .{8}\) \{"reason":"client\.document/,
    )
  })

  test('there is none, and no line, for a client that is known', async () => {
    const redirect = 'http://127.0.0.1:1/callback'
    const registered = await fetch(`${warder.issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
    })
    const { client_id } = (await registered.json()) as { client_id: string }
    const before = warder.said()
    expect((await open(client_id, redirect)).status).toBe(303)
    expect(warder.said()).toBe(before)
  })

  test('there is none, and no line, for a program that looks around: it shows nobody a page', async () => {
    const before = warder.said()
    const ask = (accept: string): Promise<Response> =>
      fetch(`${warder.issuer}/authorize/nothing`, { headers: { accept } })
    expect((await ask('application/json')).status).toBeGreaterThanOrEqual(400)
    expect(warder.said()).toBe(before)
    expect(await (await ask('text/html')).text()).toContain('Reference for the log')
    await expect.poll(() => warder.said().length).toBeGreaterThan(before.length)
  })
})

describe('refusals on standard error', () => {
  const listen = () => {
    const lines: string[] = []
    const { write } = stderr
    stderr.write = (text: string | Uint8Array) => {
      lines.push(String(text))
      return true
    }
    vi.useFakeTimers()
    onTestFinished(() => {
      vi.useRealTimers()
      stderr.write = write
    })
    return lines
  }
  const refused = (reason: string, reference: string) =>
    ({ level: 'info', event: 'refused', reason, reference }) as const

  test('T07 those of a flood are counted, others are shown beside it, and the next minute begins anew', () => {
    const lines = listen()
    const log = createRefusalLog()
    for (let at = 0; at < 500; at += 1) log(refused('client.unknown', `flood${at}`))
    log(refused('client.document-unreachable', 'ab12cd34'))
    expect(lines).toHaveLength(11)
    expect(lines.at(-1)).toContain('(reference ab12cd34)')
    vi.advanceTimersByTime(60_000)
    expect(lines.slice(11)).toEqual(['Note: refused {"reason":"client.unknown","more":490}\n'])
    log(refused('client.unknown', 'ef56ab78'))
    expect(lines.at(-1)).toContain('(reference ef56ab78)')
    vi.advanceTimersByTime(60_000)
    expect(lines).toHaveLength(13)
  })

  test('what nobody has a reference for stays in the records; warnings and errors are all shown', () => {
    const lines = listen()
    const log = createRefusalLog()
    log({ level: 'info', event: 'refused', reason: 'client.unknown' })
    expect(lines).toEqual([])
    for (let at = 0; at < 30; at += 1) log({ level: 'warn', event: 'refresh_reuse', client: 'c' })
    log({
      level: 'error',
      event: 'refused',
      reason: 'internal',
      cause: 'x'.repeat(2_000),
      reference: 'ab12cd34',
    })
    expect(lines).toHaveLength(31)
    expect(lines.at(-1)).toContain('(reference ab12cd34)')
  })
})
