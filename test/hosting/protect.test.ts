import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { runWarder, startWarder, type WarderProcess } from '../e2e/warder-process.ts'

const isInstalled = spawnSync('bwrap', ['--version']).status === 0
const directories: string[] = []
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

/** Protects a server that looks at the state directory, in a directory of its own. */
const start = (
  options: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<WarderProcess> => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-hosting-'))
  directories.push(directory)
  const server = [process.execPath, join(import.meta.dirname, 'plain-server.mjs'), join(directory, 'data')]
  return startWarder({
    directory,
    args: ['--port', '0', '--name', 'plain', ...options, '--', ...server],
    env,
  })
}

describe('warder protect', () => {
  test('P02 a command of the same user sees the state directory; nothing is to be warned of', async () => {
    const warder = await start([])
    expect(warder.tools).toMatchObject([{ name: 'sees-files' }])
    expect(warder.said()).not.toContain('--share')
    await warder.stop()
  })

  test('P02 --sandbox hides it, where there is bubblewrap; --share warns', async () => {
    const warder = await start(isInstalled ? ['--share', '--sandbox'] : ['--share'])
    expect(warder.tools).toMatchObject([{ name: isInstalled ? 'sees-nothing' : 'sees-files' }])
    expect(warder.said()).toContain('Warning: --share: one process of plain serves all users.')
    await warder.stop()
  })

  test('P02 --sandbox without bubblewrap does not start, and says so in a line', async () => {
    const said = await start(['--sandbox'], { PATH: '' }).catch(String)
    expect(said).toContain('did not start')
    expect(said).toContain('warder: --sandbox: the sandbox needs bubblewrap')
  })

  test('--share and --sandbox are for commands', async () => {
    for (const option of ['--share', '--sandbox']) {
      const { code, err } = await runWarder(tmpdir(), ['protect', option, '--url', 'http://127.0.0.1:9/mcp'])
      expect([code, err]).toEqual([2, expect.stringContaining(`${option} is for a command`)])
    }
  })
})
