import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runWarder, startEverythingOverHttp, startWarder } from '../../../test/e2e/warder-process.ts'
import { readInput } from '../src/command.ts'
import { protect } from '../src/commands/protect.ts'
import { readProtectOptions } from '../src/protect/read-options.ts'

describe('the address of a protected server', () => {
  let directory: string
  const has = (file: string): boolean => existsSync(join(directory, file))
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'warder-url-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  test.each([
    ['a character that no URL has', 'http://127.0.0.1:3391/mcp?key=s3cret|b'],
    ['half an IP address', 'http://127.1:3391/mcp'],
    ['a host that is not ASCII', 'https://bücher.example/mcp'],
    ['an empty fragment', 'http://127.0.0.1:3391/mcp#'],
    ['spaces around it', ' http://127.0.0.1:3391/mcp '],
    ['a user name and a password', 'http://somebody:s3cret@127.0.0.1:3391/mcp'],
    ['another scheme', 'ftp://127.0.0.1/mcp'],
  ])('%s is refused in words', (_what, url) => {
    const read = (): unknown => readProtectOptions(readInput(protect, ['--url', url]))
    expect(read).toThrow(/^--url takes the http or https address of an MCP server, .*%XX\.$/)
    expect(read).not.toThrow('s3cret')
  })

  test('one that is refused leaves nothing behind', async () => {
    const args = [
      'protect',
      '--port',
      '0',
      '--data',
      join(directory, 'data'),
      '--url',
      'http://127.1:3391/mcp',
    ]
    const { code, err } = await runWarder(directory, args)
    expect(err).toMatch(/^warder: --url takes .*\n$/)
    expect([code, has('warder.yaml'), has('data')]).toEqual([2, false, false])
  })

  test('one that is well written starts; its query is shown nowhere, and kept', async () => {
    const other = await startEverythingOverHttp()
    const url = `${other.url}?key=s3cret%7Cb`
    const warder = await startWarder({ directory, args: ['--port', '0', '--name', 'notes', '--url', url] })
    expect(warder.said()).toContain(`anybody who reaches ${other.url} can call it`)
    expect(warder.said()).not.toContain('s3cret')
    expect(await warder.stop()).toBe(0)
    await other.stop()
    expect(readFileSync(join(directory, 'warder.yaml'), 'utf8')).toContain(url)
  })
})
