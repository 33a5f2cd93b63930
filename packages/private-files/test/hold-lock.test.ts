import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holdLock, LockTimeout, waitForLock } from '@warder/private-files'
import { afterAll, describe, expect, test } from 'vitest'

const program = `
  import { holdLock } from '@warder/private-files'
  process.stdout.write(holdLock(process.argv[1]) === undefined ? 'refused' : 'held')
  setInterval(() => {}, 1000)
`

describe('holdLock', { timeout: 30_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'warder-lock-'))
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(root, { recursive: true })
  })

  /** Another process that tries for the lock and stays, and what became of it. */
  const contend = async (
    file: string,
    options: readonly string[] = [],
    text: string = program,
  ): Promise<readonly [string, ChildProcess]> => {
    const child = spawn(
      process.execPath,
      ['--conditions=@warder/source', ...options, '--input-type=module', '--eval', text, file],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    children.push(child)
    const [answer] = await once(child.stdout, 'data')
    return [String(answer), child]
  }

  const kill = async (child: ChildProcess): Promise<void> => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  test('of two processes one holds it, and kill -9 of that one frees it', async () => {
    const file = join(root, 'one', 'lock')
    const [first, holder] = await contend(file)
    const [second] = await contend(file)
    expect([first, second]).toEqual(['held', 'refused'])
    expect(holdLock(file)).toBeUndefined()
    await kill(holder)
    const held = holdLock(file)
    expect(held).toBeDefined()
    held?.release()
  })

  test('one process gets it once, and again when it was released', () => {
    const file = join(root, 'two', 'lock')
    const held = holdLock(file)
    expect(held).toBeDefined()
    expect(holdLock(file)).toBeUndefined()
    held?.release()
    const again = holdLock(file)
    expect(again).toBeDefined()
    again?.release()
  })

  test('whoever asks once more in the process that holds it does not free it for others', async () => {
    const file = join(root, 'asked', 'lock')
    const held = holdLock(file)
    expect(holdLock(file)).toBeUndefined()
    await expect(waitForLock(file, { timeoutMs: 20 })).rejects.toThrow(LockTimeout)
    expect((await contend(file))[0]).toBe('refused')
    held?.release()
    expect((await contend(file))[0]).toBe('held')
  })

  test('a link to nothing is refused, and one to a private file is that file', () => {
    const [file, link] = [join(root, 'links', 'lock'), join(root, 'links', 'link')]
    holdLock(file)?.release()
    symlinkSync(file, link)
    const held = holdLock(link)
    expect(held).toBeDefined()
    expect(holdLock(file)).toBeUndefined()
    held?.release()
    rmSync(file)
    expect(() => holdLock(link)).toThrow('is a link to nothing')
  })

  test('one that nobody keeps is held all the same, whatever is collected', async () => {
    const file = join(root, 'dropped', 'lock')
    const collecting = `
      import { holdLock } from '@warder/private-files'
      const isHeld = holdLock(process.argv[1]) !== undefined
      for (let round = 0; round < 5; round += 1) {
        await new Promise(setImmediate)
        gc()
      }
      process.stdout.write(isHeld ? 'held' : 'refused')
      setInterval(() => {}, 1000)
    `
    const [first] = await contend(file, ['--expose-gc'], collecting)
    expect([first, holdLock(file)]).toEqual(['held', undefined])
  })

  test('the file is its user’s alone, and one that others can open is refused', () => {
    const file = join(root, 'three', 'lock')
    holdLock(file)?.release()
    expect(statSync(file).mode & 0o777).toBe(0o600)
    chmodSync(file, 0o644)
    expect(() => holdLock(file)).toThrow('open to other users')
  })
})
