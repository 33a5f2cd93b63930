import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { everything, runWarder, startEverythingOverHttp, startWarder } from '../e2e/warder-process.ts'

const sample = ['--name', 'everything', '--', process.execPath, everything, 'stdio']

describe('warder protect refuses to start, with one clear line', () => {
  let directory: string
  const protect = (...args: string[]): ReturnType<typeof runWarder> =>
    runWarder(directory, ['protect', '--port', '0', '--data', join(directory, 'data'), ...args])

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'warder-refuses-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test('the positive twin: the same start without a defect', async () => {
    const warder = await startWarder({ directory, args: ['--port', '0', ...sample] })
    expect(await warder.stop()).toBe(0)
  })

  test.each([
    ['nothing to protect', [], 'say what to protect'],
    ['G37 another computer could reach it without TLS', ['--host', '0.0.0.0', ...sample], '--public-url'],
    [
      'G37 not even with a public name, unless a proxy stands in front',
      ['--host', '0.0.0.0', '--public-url', 'https://mcp.example.com', ...sample],
      '--trust-proxy',
    ],
    [
      'a public address in plain http',
      ['--public-url', 'http://mcp.example.com', ...sample],
      'must be https',
    ],
    ['an unknown option', ['--isuer', 'https://login.example.com', ...sample], "Unknown option '--isuer'"],
    ['both a URL and a command', ['--url', 'http://127.0.0.1:1/mcp', ...sample], 'not both'],
    ['a command that does not exist', ['--', 'no-such-program-here'], 'does not answer as an MCP server'],
    [
      'a command that does not speak MCP',
      ['--', process.execPath, '-e', 'process.exit(3)'],
      'does not answer as an MCP server',
    ],
    ['a URL where nothing listens', ['--url', 'http://127.0.0.1:9/mcp'], 'does not answer as an MCP server'],
  ])('%s', async (_name, args, line) => {
    const { code, err } = await protect(...args)
    expect(err).toContain(line)
    expect(err).not.toContain('    at ')
    expect(code).not.toBe(0)
  })

  test('a port in use', async () => {
    const other = await listenSomewhere()
    const port = (other.address() as AddressInfo).port
    const { code, err } = await runWarder(directory, [
      'protect',
      '--port',
      String(port),
      '--data',
      join(directory, 'data'),
      ...sample,
    ])
    expect([code, err.trim()]).toEqual([
      1,
      `warder: port ${port} on 127.0.0.1 is in use. Stop what listens there, or pick another by --port.`,
    ])
    other.close()
  })

  test('a data directory that others can read', async () => {
    mkdirSync(join(directory, 'data'))
    chmodSync(join(directory, 'data'), 0o755)
    const { code, err } = await protect(...sample)
    expect([code, err]).toEqual([1, expect.stringContaining('others can read')])
  })

  test('unknown scopes in the policy, all errors at once, with line and column', async () => {
    writeFileSync(
      join(directory, 'warder.yaml'),
      [
        'version: 1',
        'servers:',
        '  everything:',
        `    run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio]`,
        '    scopes:',
        '      everything:read: { title: Read, basic: true }',
        '    tools:',
        '      - { match: echo, scopes: [everything:wrong] }',
        'access:',
        '  - { who: { user: owner }, client: any, may: [everything:odd] }',
      ].join('\n'),
    )
    const { code, err } = await protect()
    expect(code).toBe(1)
    expect(err).toMatch(/warder\.yaml:8:\d+ .*everything:wrong/)
    expect(err).toMatch(/warder\.yaml:10:\d+ .*everything:odd/)
  })

  test('an HTTP upstream that does not speak MCP', async () => {
    const other = await listenSomewhere()
    const { code, err } = await protect(
      '--url',
      `http://127.0.0.1:${(other.address() as AddressInfo).port}/mcp`,
    )
    expect([code, err]).toEqual([1, expect.stringContaining('does not answer as an MCP server')])
    other.close()
  })

  test('an HTTP upstream that anybody may call is protected, with a warning', async () => {
    const upstream = await startEverythingOverHttp()
    const warder = await startWarder({ directory, args: ['--port', '0', '--url', upstream.url] })
    expect(warder.said()).toContain(`anybody who reaches ${upstream.url} can call it without a token`)
    expect(await warder.stop()).toBe(0)
    await upstream.stop()
  })
})

/** Something that answers HTTP, but not MCP. */
async function listenSomewhere(): Promise<Server> {
  const server = createServer((_req, res) => res.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
