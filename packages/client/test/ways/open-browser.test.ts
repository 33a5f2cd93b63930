import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Browser, findBrowser, openBrowser, readOpenableUrl } from '@warder/client'
import { afterEach, describe, expect, test } from 'vitest'
import { createDesktop, type FakeDesktop } from './fake-desktop.ts'

const desktops: FakeDesktop[] = []

afterEach(() => {
  for (const desktop of desktops.splice(0)) desktop.end()
})

function start(does?: Parameters<typeof createDesktop>[0]): FakeDesktop {
  const desktop = createDesktop(does)
  desktops.push(desktop)
  return desktop
}

const url = readOpenableUrl('https://as.example/authorize?state=x')

describe('a browser is opened', () => {
  test('CL-71 with the address as the one argument, and nothing of ours in its environment', async () => {
    const { env, program, calls } = start()
    const secrets = {
      MCP_CLIENT_SECRET: 's-1',
      WARDER_STORE_KEY_FILE: 's-2',
      WARDER_DATABASE: 'postgres://u:s-5@localhost/',
      GITHUB_TOKEN: 's-3',
      my_api_key: 's-4',
    }
    expect(await openBrowser({ program, args: [] }, url, { ...env, LANG: 'C', ...secrets })).toBe(true)
    expect(calls()).toEqual([{ args: [url], env: expect.objectContaining({ LANG: 'C', DISPLAY: ':0' }) }])
    for (const name of Object.keys(secrets)) expect(calls()[0]?.env).not.toHaveProperty(name)
  })

  // `$(…)`, `;` and `'` may stand in a URL: they reach the program, and mean nothing on the way.
  test.each([
    'https://as.example/$(touch$IFS$MARKER)',
    "https://as.example/;touch$IFS'$MARKER'",
    'https://as.example/&touch+$MARKER&',
    'https://as.example/*?~!@:',
    'https://as.example/--help',
    'https://as.example/%0atouch%20$MARKER',
  ])('Q02 CL-71 no shell reads %s', async (raw) => {
    const { env, program, directory, calls } = start()
    const marker = join(directory, 'marker')
    const address = raw.replace('$MARKER', marker)
    const around = { ...env, PATH: `${directory}:/usr/bin:/bin`, MARKER: marker }
    expect(await openBrowser({ program, args: [] }, readOpenableUrl(address), around)).toBe(true)
    expect(calls().map(({ args }) => args)).toEqual([[address]])
    expect(existsSync(marker)).toBe(false)
  })

  test('a program that fails, or that is none, is told', async () => {
    const { env, program, directory } = start('fail')
    expect(await openBrowser({ program, args: [] }, url, env)).toBe(false)
    expect(await openBrowser({ program: join(directory, 'absent'), args: [] }, url, env)).toBe(false)
  })
})

describe('the program that opens addresses', () => {
  const find = (env: Record<string, string>, platform: NodeJS.Platform = 'linux') =>
    findBrowser({ env, platform })
  const missing = (found: Browser | { missing: string }) => ('missing' in found ? found.missing : 'none')

  test('on Linux it is xdg-open, on macOS open, on Windows rundll32: by an absolute path', () => {
    const { env, program } = start()
    expect(find(env)).toEqual({ program, args: [] })
    expect(find({}, 'darwin')).toEqual({ program: '/usr/bin/open', args: [] })
    expect(find({ SystemRoot: 'D:\\Windows' }, 'win32')).toEqual({
      program: 'D:\\Windows\\System32\\rundll32.exe',
      args: ['url.dll,FileProtocolHandler'],
    })
  })

  test('in WSL it is wslview, without needing a display', () => {
    const { env, directory, program } = start()
    writeFileSync(join(directory, 'wslview'), '#!/bin/sh\n', { mode: 0o700 })
    const wsl = { PATH: env['PATH'] ?? '', WSL_DISTRO_NAME: 'Debian' }
    expect(find(wsl)).toEqual({ program: join(directory, 'wslview'), args: [] })
    expect(find({ ...wsl, BROWSER: program })).toEqual({ program, args: [] })
  })

  test('WARDER_BROWSER goes before BROWSER, and each is one program', () => {
    const { env, program, directory } = start()
    const other = join(directory, 'other browser')
    writeFileSync(other, '#!/bin/sh\n', { mode: 0o700 })
    expect(find({ ...env, WARDER_BROWSER: other, BROWSER: program })).toEqual({ program: other, args: [] })
    expect(find({ ...env, BROWSER: other })).toEqual({ program: other, args: [] })
    expect(find({ ...env, BROWSER: 'xdg-open' })).toEqual({ program, args: [] })
    expect(missing(find({ ...env, WARDER_BROWSER: `${other} --private` }))).toContain('WARDER_BROWSER')
    for (const odd of [
      `${other} --new-tab`,
      `${other}:${program}`,
      `${other} %s`,
      '../x',
      join(directory, 'w3m'),
    ])
      expect(find({ ...env, BROWSER: odd })).toEqual({ program, args: [] })
  })

  test('one that is named works over SSH too: editors forward it to where the person sits', () => {
    const { env, program } = start()
    const ssh = { PATH: env['PATH'] ?? '', SSH_CONNECTION: '192.0.2.1 1 192.0.2.2 22' }
    expect(missing(find(ssh))).toBe('you are connected by SSH')
    expect(missing(find(ssh, 'darwin'))).toBe('you are connected by SSH')
    expect(find({ ...ssh, BROWSER: program })).toEqual({ program, args: [] })
    expect(find({ ...ssh, DISPLAY: 'localhost:10.0' })).toEqual({ program, args: [] })
  })

  test.each([
    ['there is no display', { DISPLAY: '' }],
    ['this is a CI job', { CI: 'true' }],
    ['xdg-open is not installed', { PATH: '' }],
    ['you are connected by SSH', { DISPLAY: '', SSH_TTY: '/dev/pts/0' }],
  ])('there is none where %s', (why, changed) => {
    const { env, program } = start()
    expect(missing(find({ ...env, ...changed }))).toBe(why)
    expect(find({ ...env, DISPLAY: '', WAYLAND_DISPLAY: 'wayland-0' })).toEqual({ program, args: [] })
    expect(find({ ...env, CI: 'false' })).toEqual({ program, args: [] })
  })

  test('Q02 nothing is taken from the working directory by way of PATH', () => {
    const { directory } = start()
    const before = process.cwd()
    process.chdir(directory)
    try {
      for (const path of ['.', '', ':', './', 'sub:.']) {
        expect(missing(find({ PATH: path, DISPLAY: ':0' }))).toBe('xdg-open is not installed')
      }
    } finally {
      process.chdir(before)
    }
  })
})
