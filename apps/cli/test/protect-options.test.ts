import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { readInput } from '../src/command.ts'
import { protect } from '../src/commands/protect.ts'
import { loadTls } from '../src/protect/load-tls.ts'
import { deriveName, type ProtectOptions, readProtectOptions } from '../src/protect/read-options.ts'

const read = (...argv: string[]): ProtectOptions => readProtectOptions(readInput(protect, argv))

describe('the name of a server', () => {
  test.each([
    [{ run: ['npx', '-y', '@modelcontextprotocol/server-everything'] }, 'everything'],
    [{ run: ['npx', '-y', '@scope/some-server@1.2.3', '/data'] }, 'some'],
    [{ run: ['uvx', 'mcp-server-git'] }, 'git'],
    [{ run: ['node', '/srv/notes/dist/index.js', 'stdio'] }, 'notes'],
    [{ run: ['C:\\tools\\Notes.exe'] }, 'notes'],
    [{ url: 'http://notes.example.com:3000/mcp' }, 'notes'],
    [{ url: 'http://127.0.0.1:3001/mcp' }, 'server'],
    [{ run: ['node', 'server.js'] }, 'node'],
    [{ run: ['npx', 'mcp-server-token'] }, 'npx'],
  ])('%j', (upstream, name) => {
    expect(deriveName(upstream)).toBe(name)
  })
})

test.each(['Notes', 'a/b', 'register', 'x'.repeat(64)])('--name %s is refused', (name) => {
  expect(() => read('--name', name)).toThrow('--name takes')
  expect(read('--name', 'notes-2').name).toBe('notes-2')
})

describe.skipIf(process.platform !== 'linux')('the state directory', () => {
  const place = (base: string): string => {
    vi.stubEnv('XDG_STATE_HOME', base)
    onTestFinished(() => void vi.unstubAllEnvs())
    return read().dataPath('notes')
  }

  test.each(['', 'state', './state', '.'])('XDG_STATE_HOME=%j does not lead into the work tree', (base) => {
    expect(place(base)).toBe(join(homedir(), '.local/state/warder/notes'))
  })

  test('an absolute one is followed', () => {
    expect(place('/s')).toBe('/s/warder/notes')
  })
})

describe('the address', () => {
  test.each([
    [[], 'http://localhost:8765'],
    [['--tls-cert', 'c', '--tls-key', 'k'], 'https://localhost:8765'],
    [['--public-url', 'https://mcp.example.com'], 'https://mcp.example.com'],
    [['--public-url', 'http://localhost:9000'], 'http://localhost:9000'],
    [
      ['--host', '0.0.0.0', '--trust-proxy', '--public-url', 'https://mcp.example.com'],
      'https://mcp.example.com',
    ],
    [
      ['--host', '0.0.0.0', '--tls-cert', 'c', '--tls-key', 'k', '--public-url', 'https://mcp.example.com'],
      'https://mcp.example.com',
    ],
  ])('%j', (argv, address) => {
    expect(read(...argv).publicUrl(8765)).toBe(address)
  })

  test.each([
    ['G37 reachable without TLS', ['--host', '0.0.0.0'], '--tls-cert'],
    [
      'G37 reachable without TLS, under a public name',
      ['--host', '0.0.0.0', '--public-url', 'https://mcp.example.com'],
      '--trust-proxy',
    ],
    [
      'reachable by TLS, but nobody said under which name',
      ['--host', '0.0.0.0', '--tls-cert', 'c', '--tls-key', 'k'],
      '--public-url is needed',
    ],
    [
      'plain http under TLS',
      ['--tls-cert', 'c', '--tls-key', 'k', '--public-url', 'http://localhost:1'],
      'https',
    ],
    ['a certificate without its key', ['--tls-cert', 'c'], 'go together'],
    ['a key without its certificate', ['--tls-key', 'k'], 'go together'],
    ['a path', ['--public-url', 'https://mcp.example.com/mcp'], 'must not have a path'],
    ['plain http', ['--public-url', 'http://mcp.example.com'], 'must be https'],
  ])('refused: %s', (_name, argv, says) => {
    expect(() => read(...argv)).toThrow(says)
  })
})

describe('the files for TLS', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-tls-files-'))
  const path = (name: string): string => join(directory, name)
  beforeAll(async () => {
    for (const name of ['one', 'two']) {
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'localhost' }])
      writeFileSync(path(`${name}.cert`), cert)
      writeFileSync(path(`${name}.key`), key, { mode: 0o600 })
    }
    writeFileSync(path('group.key'), '', { mode: 0o600 })
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test('a certificate and its key', () => {
    const files = loadTls({ certFile: path('one.cert'), keyFile: path('one.key') })
    expect(String(files?.cert)).toContain('BEGIN CERTIFICATE')
    expect(String(files?.key)).toContain('PRIVATE KEY')
    expect(loadTls(undefined)).toBeUndefined()
  })

  test.each([
    ['the key of another certificate', 'one.cert', 'two.key', 'are not a certificate and its key'],
    ['an empty key', 'one.cert', 'group.key', 'are not a certificate and its key'],
    ['no certificate', 'none.cert', 'one.key', '--tls-cert'],
    ['no key', 'one.cert', 'none.key', '--tls-key'],
  ])('refused: %s', (_name, certFile, keyFile, says) => {
    expect(() => loadTls({ certFile: path(certFile), keyFile: path(keyFile) })).toThrow(says)
  })
})
