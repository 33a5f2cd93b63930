import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { readInput } from '../src/command.ts'
import { protect } from '../src/commands/protect.ts'
import { userList } from '../src/commands/user-list.ts'
import { findTargets, type Plan, stateName } from '../src/protect/find-targets.ts'
import { readProtectOptions } from '../src/protect/read-options.ts'
import { proofRows } from '../src/protect/start-screen.ts'
import type { ProofRow } from '../src/prove/proof.ts'
import { findDataDirectory } from '../src/with-store.ts'

const directory = mkdtempSync(join(tmpdir(), 'warder-targets-'))
const file = join(directory, 'warder.yaml')
writeFileSync(
  file,
  `version: 1
servers:
  notes:
    run: [notes-server, --stdio]
    env: [NOTES_HOME]
  tickets:
    url: http://127.0.0.1:3001/mcp
access: []
`,
)
afterAll(() => rmSync(directory, { recursive: true }))

const plan = (...argv: string[]): Plan =>
  findTargets(readProtectOptions(readInput(protect, ['--policy', file, ...argv])))
const names = ({ targets }: Plan): string[] => targets.map(({ name }) => name)

describe('what a start protects', () => {
  test('everything in the policy file, in its order', () => {
    expect(plan().targets).toEqual([
      { name: 'notes', upstream: { run: ['notes-server', '--stdio'] }, env: ['NOTES_HOME'] },
      { name: 'tickets', upstream: { url: 'http://127.0.0.1:3001/mcp' }, env: [] },
    ])
    expect(stateName(plan())).toBe('notes')
  })

  test.each([
    [['--name', 'tickets'], 'tickets'],
    [['--url', 'http://127.0.0.1:3001/mcp'], 'tickets'],
    [['--', 'notes-server', '--stdio'], 'notes'],
  ])('only what the arguments name: %j', (argv, name) => {
    expect(names(plan(...argv))).toEqual([name])
    expect(stateName(plan(...argv))).toBe(name)
  })

  test.each([
    [['--name', 'payments']],
    [['--', 'notes-server', '--stdio', '--more']],
    [['--name', 'notes', '--url', 'http://127.0.0.1:3001/mcp']],
  ])('refused, since the file is about others: %j', (argv) => {
    expect(() => plan(...argv)).toThrow('is about another server (notes, tickets)')
  })

  test('without a policy file the arguments must say what to protect', () => {
    const other = ['--policy', join(directory, 'new.yaml')]
    expect(plan(...other, '--', 'npx', 'some-server')).toMatchObject({
      targets: [{ name: 'some', upstream: { run: ['npx', 'some-server'] } }],
      file: undefined,
    })
    expect(() => plan(...other)).toThrow('say what to protect')
  })
})

describe('where commands find the state', () => {
  const find = (...argv: string[]): string =>
    findDataDirectory(readInput(userList, ['--policy', file, ...argv])).path
  beforeEach(() => {
    vi.stubEnv('XDG_STATE_HOME', join(directory, 'state'))
    for (const name of ['notes', 'tickets']) {
      const path = join(directory, 'state', 'warder', name)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      writeFileSync(join(path, 'warder.sqlite'), '', { mode: 0o600 })
    }
  })
  afterEach(() => vi.unstubAllEnvs())

  test.runIf(process.platform === 'linux')('that of the first server, as warder protect has it', () => {
    expect(find()).toBe(join(directory, 'state', 'warder', 'notes'))
    expect(find('--name', 'tickets')).toBe(join(directory, 'state', 'warder', 'tickets'))
  })

  test('a name that is not in the file, and a directory without state', () => {
    expect(() => find('--name', 'payments')).toThrow('names no server "payments", but: notes, tickets.')
    expect(() => find('--data', join(directory, 'none'))).toThrow('there is no Warder state in')
  })
})

describe('the proof of several servers', () => {
  const row = (id: string, outcome: ProofRow['outcome']): ProofRow => ({
    id,
    title: `tries ${id}`,
    outcome,
    says: `${outcome}.`,
    rule: 'RS-01',
  })

  test('what came out the same is one line; what did not names its server', () => {
    const rows = proofRows([
      { name: 'notes', proof: [row('one', 'passed'), row('two', 'passed')] },
      { name: 'tickets', proof: [row('one', 'passed'), row('two', 'failed')] },
    ])
    expect(rows.map(([, title, says]) => [title, says])).toEqual([
      ['tries one', 'passed.'],
      ['notes: tries two', 'passed.'],
      ['tickets: tries two', 'failed.'],
    ])
  })
})
