import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createStdioHost, type StdioHost } from '@warder/bridge'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { callTool } from './ask-host.ts'

const command = [process.execPath, join(import.meta.dirname, 'probing-server.mjs')]
const isInstalled = spawnSync('bwrap', ['--version']).status === 0

/** Whether a process that the server has started under this mark lives anywhere on this machine. */
const isMarked = (mark: string): boolean =>
  readdirSync('/proc').some((entry) => {
    try {
      return readFileSync(`/proc/${entry}/cmdline`, 'utf8').includes(`left ${mark}`)
    } catch {
      return false
    }
  })

describe('--sandbox that cannot be had', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-no-bwrap-'))
  afterEach(() => vi.unstubAllEnvs())
  afterAll(() => rmSync(directory, { recursive: true }))

  const start = (): StdioHost => createStdioHost({ command, env: {}, sandbox: { hidden: [] } })

  test('P02 without bubblewrap nothing starts, and the line says what to install', () => {
    vi.stubEnv('PATH', directory)
    expect(start).toThrow('the sandbox needs bubblewrap')
  })

  if (process.platform === 'linux') {
    test('P02 where bubblewrap is not allowed to work nothing starts, and the line says why', () => {
      const words = 'bwrap: setting up uid map: Permission denied'
      writeFileSync(join(directory, 'bwrap'), `#!/bin/sh\necho '${words}' >&2\nexit 1\n`)
      chmodSync(join(directory, 'bwrap'), 0o755)
      vi.stubEnv('PATH', directory)
      expect(start).toThrow(`bubblewrap is installed, but does not work here: ${words}`)
    })
  }
})

// Where it is not installed, the refusal above is what there is to see.
if (isInstalled) {
  describe('--sandbox', () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-sandbox-'))
    const state = join(directory, 'state')
    const secret = join(state, 'secret')
    const key = join(directory, 'key.pem')
    const elsewhere = mkdtempSync(join(tmpdir(), 'warder-elsewhere-'))
    const open: StdioHost[] = []
    let listener: Server

    const start = (sandboxed: boolean): StdioHost => {
      const sandbox = sandboxed ? { sandbox: { hidden: [state, key] } } : {}
      const host = createStdioHost({ command, env: {}, cwd: directory, ...sandbox })
      open.push(host)
      return host
    }
    /** The same attempt inside of a sandbox and without one. */
    const attempt = async (
      name: string,
      args: object = {},
    ): Promise<{ inside: unknown; outside: unknown }> => ({
      inside: await callTool(inside, 'alice', name, args),
      outside: await callTool(outside, 'alice', name, args),
    })
    let inside: StdioHost
    let outside: StdioHost

    beforeAll(async () => {
      mkdirSync(state)
      for (const path of [secret, key]) writeFileSync(path, 'of Warder')
      writeFileSync(join(directory, 'own'), 'of the server')
      writeFileSync(join(elsewhere, 'other'), 'of somebody else')
      listener = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
      await once(listener, 'listening')
      inside = start(true)
      outside = start(false)
    })
    afterAll(async () => {
      await Promise.all(open.map((host) => host.close()))
      listener.close()
      for (const path of [directory, elsewhere]) rmSync(path, { recursive: true })
    })

    test('P13 it reaches no listener on loopback', async () => {
      const { port } = listener.address() as { port: number }
      const { inside, outside } = await attempt('connect', { port })
      expect([inside, outside]).toEqual(['ECONNREFUSED', 'connected'])
    })

    test('P02 it cannot read the state of Warder, even inside its own directory', async () => {
      const { inside, outside } = await attempt('read', { path: secret })
      expect([inside, outside]).toEqual(['ENOENT', 'of Warder'])
      expect(await attempt('read', { path: key })).toEqual({ inside: 'EACCES', outside: 'of Warder' })
    })

    test('P02 P14 a link to its directory does not lead to the state either', async () => {
      const link = join(elsewhere, 'link')
      symlinkSync(directory, link)
      const argument = join(link, 'own')
      const host = createStdioHost({ command: [...command, argument], env: {}, sandbox: { hidden: [state] } })
      open.push(host)
      const read = (path: string): Promise<unknown> => callTool(host, 'alice', 'read', { path })
      expect(await read(argument)).toBe('of the server')
      for (const path of [join(link, 'state/secret'), secret])
        expect([path, await read(path)]).toEqual([path, 'ENOENT'])
    })

    test('P02 what is to be hidden must be there', () => {
      const sandbox = { hidden: [join(directory, 'missing')] }
      expect(() => createStdioHost({ command, env: {}, sandbox })).toThrow(
        'cannot be hidden from the sandbox',
      )
    })

    test('P11 a secret of its environment stands in no command line', async () => {
      const secret = randomUUID()
      const host = createStdioHost({ command, env: { API_KEY: secret }, sandbox: { hidden: [] } })
      open.push(host)
      expect(await callTool(host, 'alice', 'self')).toMatchObject({ key: secret })
      const { stdout } = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 })
      expect(stdout).toContain('--die-with-parent')
      expect(stdout).not.toContain(secret)
    })

    test('P02 it reads its own directory, and no other files', async () => {
      const own = await attempt('read', { path: join(directory, 'own') })
      expect(own).toEqual({ inside: 'of the server', outside: 'of the server' })
      const other = await attempt('read', { path: join(elsewhere, 'other') })
      expect(other).toEqual({ inside: 'ENOENT', outside: 'of somebody else' })
      expect((await attempt('list', { path: homedir() })).inside).toBe('ENOENT')
      expect((await attempt('read', { path: '/etc/shadow' })).inside).toBe('ENOENT')
    })

    test('P02 it sees neither Warder nor any other process', async () => {
      const path = `/proc/${process.pid}/cmdline`
      const { inside: warder, outside } = await attempt('read', { path })
      expect([warder, typeof outside]).toEqual(['ENOENT', 'string'])
      const processes = (await callTool(inside, 'alice', 'list', { path: '/proc' })) as string[]
      expect(processes.filter((name) => /^\d+$/.test(name)).length).toBeLessThanOrEqual(2)
    })

    test('P02 it has no capabilities, and a home, a host name and process numbers of its own', async () => {
      expect(await callTool(inside, 'alice', 'self')).toMatchObject({
        capabilities: '0000000000000000',
        home: '/home/mcp',
        hostname: 'sandbox',
        cwd: directory,
      })
    })

    test('P10 it writes in its home and in /tmp, and what it writes there is nowhere else', async () => {
      const write = (path: string): Promise<unknown> => callTool(inside, 'alice', 'write', { path })
      const name = randomUUID()
      expect([await write(`/home/mcp/${name}`), await write(`/tmp/${name}`)]).toEqual(['written', 'written'])
      expect(await callTool(inside, 'alice', 'read', { path: `/tmp/${name}` })).toBe('written')
      expect(await callTool(inside, 'bob', 'read', { path: `/tmp/${name}` })).toBe('ENOENT')
      expect([`/home/mcp/${name}`, `/tmp/${name}`].filter(existsSync)).toEqual([])
      for (const path of [join(directory, name), `/usr/${name}`, `/${name}`, `/dev/${name}`]) {
        expect([path, await write(path)]).toEqual([path, 'EROFS'])
      }
      expect(await callTool(outside, 'alice', 'write', { path: join(directory, name) })).toBe('written')
    })

    test('P10 its home, its /tmp and its shared memory take 256 MiB each and no more', async () => {
      const mebibyte = 1024 * 1024
      for (const place of ['/home/mcp', '/tmp', '/dev/shm']) {
        const grow = (mebibytes: number): Promise<unknown> =>
          callTool(inside, 'alice', 'grow', { path: `${place}/${randomUUID()}`, mebibytes })
        expect([place, await grow(255)]).toEqual([place, { bytes: 255 * mebibyte }])
        const tooMuch = (await grow(257)) as { readonly bytes: number; readonly code: string }
        expect([place, tooMuch.code]).toEqual([place, 'ENOSPC'])
        expect(tooMuch.bytes).toBeLessThanOrEqual(256 * mebibyte)
      }
    })

    test('P07 a process that has left the group ends with it', async () => {
      const host = start(true)
      const mark = randomUUID()
      expect(await callTool(host, 'alice', 'leave', { mark })).toBe('left')
      expect(isMarked(mark)).toBe(true)
      await host.close()
      await expect.poll(() => isMarked(mark), { timeout: 10_000 }).toBe(false)
    })

    test('P07 SIGKILL of Warder ends what has left the group too, and all of it works for an ordinary user', async () => {
      const mark = randomUUID()
      const args = ['--conditions=@warder/source', join(import.meta.dirname, 'sandbox-program.ts'), mark]
      const user = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
      const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], ...user })
      const [line] = (await once(createInterface({ input: program.stdout }), 'line')) as [string]
      expect(JSON.parse(line)).toMatchObject({ home: '/home/mcp', capabilities: '0000000000000000' })
      expect(isMarked(mark)).toBe(true)
      const ended = once(program, 'exit')
      program.kill('SIGKILL')
      await ended
      await expect.poll(() => isMarked(mark), { timeout: 10_000 }).toBe(false)
    })
  })
}
