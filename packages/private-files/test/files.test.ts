import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { holdLock, LockTimeout, readPrivateFile, waitForLock, writePrivateFile } from '@warder/private-files'
import { afterAll, describe, expect, test } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'warder-files-'))
afterAll(() => rmSync(root, { recursive: true }))
const modeOf = (path: string): number => statSync(path).mode & 0o777

let serial = 0
/** A directory of its own for each test, not there yet. */
const place = (): string => {
  serial += 1
  return join(root, String(serial))
}

describe('a private file', () => {
  test('Q15 comes back as it was written, 0600 in 0700, whatever the umask', () => {
    const directory = place()
    const before = process.umask(0)
    try {
      writePrivateFile(join(directory, 'file'), 'text é')
    } finally {
      process.umask(before)
    }
    expect(readPrivateFile(join(directory, 'file'))).toBe('text é')
    expect([modeOf(directory), modeOf(join(directory, 'file'))]).toEqual([0o700, 0o600])
    writePrivateFile(join(directory, 'file'), '')
    expect(readPrivateFile(join(directory, 'file'))).toBe('')
    expect(readdirSync(directory)).toEqual(['file'])
  })

  test('that is not there is undefined, also in a directory that is not there', () => {
    expect(readPrivateFile(join(place(), 'file'))).toBeUndefined()
  })

  test('Q15 a symbolic link in its place is not read, and a write replaces it and not what it leads to', () => {
    const directory = place()
    mkdirSync(directory, { mode: 0o700 })
    const victim = join(directory, 'victim')
    writeFileSync(victim, 'theirs', { mode: 0o600 })
    symlinkSync(victim, join(directory, 'file'))
    expect(() => readPrivateFile(join(directory, 'file'))).toThrow('symbolic link')
    writePrivateFile(join(directory, 'file'), 'mine')
    expect([readFileSync(victim, 'utf8'), readPrivateFile(join(directory, 'file'))]).toEqual([
      'theirs',
      'mine',
    ])
    symlinkSync(join(directory, 'nowhere'), join(directory, 'dangling'))
    writePrivateFile(join(directory, 'dangling'), 'mine')
    expect(existsSync(join(directory, 'nowhere'))).toBe(false)
  })

  test.each([0o644, 0o640, 0o604, 0o660, 0o622])('Q15 one of mode %o is not read; twin: 0600 is', (mode) => {
    const file = join(place(), 'file')
    writePrivateFile(file, 'text')
    chmodSync(file, mode)
    expect(() => readPrivateFile(file)).toThrow(`chmod 600 ${file}`)
    chmodSync(file, 0o600)
    expect(readPrivateFile(file)).toBe('text')
  })

  test('Q15 an open file in its place is replaced by a closed one; nothing is written into an open directory', () => {
    const directory = place()
    const file = join(directory, 'file')
    mkdirSync(directory, { mode: 0o700 })
    writeFileSync(file, 'old', { mode: 0o644 })
    writePrivateFile(file, 'new')
    expect([modeOf(file), readPrivateFile(file)]).toEqual([0o600, 'new'])
    chmodSync(directory, 0o755)
    expect(() => writePrivateFile(file, 'newer')).toThrow(`chmod 700 ${directory}`)
    expect(readFileSync(file, 'utf8')).toBe('new')
  })

  test('what is no file is not read, and a pipe is not waited for', () => {
    const directory = place()
    mkdirSync(join(directory, 'folder'), { recursive: true, mode: 0o700 })
    expect(() => readPrivateFile(join(directory, 'folder'))).toThrow()
    execFileSync('mkfifo', ['-m', '600', join(directory, 'pipe')])
    expect(() => readPrivateFile(join(directory, 'pipe'))).toThrow('is not a file')
  })

  test('a write that fails leaves the old text and no draft', () => {
    const directory = place()
    mkdirSync(join(directory, 'file', 'inside'), { recursive: true, mode: 0o700 })
    chmodSync(directory, 0o700)
    expect(() => writePrivateFile(join(directory, 'file'), 'text')).toThrow()
    expect(readdirSync(directory)).toEqual(['file'])
  })
})

describe('several processes', { timeout: 60_000 }, () => {
  const children: ChildProcess[] = []
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  const start = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(
      process.execPath,
      ['--conditions=@warder/source', '--input-type=module', '--eval', program, ...args],
      { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] },
    )
    children.push(child)
    return child
  }
  const writer = `
    import { writePrivateFile } from '@warder/private-files'
    const [, file, letter] = process.argv
    for (;;) {
      writePrivateFile(file, letter.repeat(200_000))
      process.stdout.write('.')
    }`

  test('Q15 two that write and kill -9 in mid-write: a reader finds one whole text, always', async () => {
    const file = join(place(), 'file')
    for (let round = 0; round < 3; round += 1) {
      const pair = ['a', 'b'].map((letter) => start(writer, file, letter))
      await Promise.all(pair.map((child) => once(child.stdout!, 'data')))
      for (const child of pair) child.stdout?.resume()
      for (let read = 0; read < 50; read += 1) {
        const text = readPrivateFile(file) ?? ''
        expect([text.length, new Set(text).size]).toEqual([200_000, 1])
        await new Promise((done) => setTimeout(done, 2))
      }
      const ended = pair.map((child) => once(child, 'exit'))
      for (const child of pair) child.kill('SIGKILL')
      await Promise.all(ended)
      const text = readPrivateFile(file) ?? ''
      expect([text.length, new Set(text).size]).toEqual([200_000, 1])
    }
  })

  test('Q15 what a killed writer left is removed later, but not what somebody may still write', () => {
    const directory = place()
    writePrivateFile(join(directory, 'file'), 'text')
    const [old, young, other] = ['.file.draft-1', '.file.draft-2', '.other.draft-1'].map((name) =>
      join(directory, name),
    ) as [string, string, string]
    for (const draft of [old, young, other]) writeFileSync(draft, 'left', { mode: 0o600 })
    for (const draft of [old, other]) utimesSync(draft, new Date(0), new Date(0))
    writePrivateFile(join(directory, 'file'), 'text')
    expect([old, young, other].map((draft) => existsSync(draft))).toEqual([false, true, true])
  })

  test('waitForLock waits until another process has ended, and for no longer than it was told', async () => {
    const file = join(place(), 'lock')
    const holder = start(
      `
      import { holdLock } from '@warder/private-files'
      process.stdout.write(holdLock(process.argv[1]) === undefined ? 'refused' : 'held')
      setInterval(() => {}, 1000)`,
      file,
    )
    expect(String(await once(holder.stdout!, 'data'))).toBe('held')
    await expect(waitForLock(file, { timeoutMs: 60 })).rejects.toBeInstanceOf(LockTimeout)
    const waiting = waitForLock(file, { timeoutMs: 20_000 })
    holder.kill('SIGKILL')
    const lock = await waiting
    expect(holdLock(file)).toBeUndefined()
    lock.release()
    const again = await waitForLock(file, { timeoutMs: 0 })
    again.release()
  })
})
