import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { traps } from '../../apps/cli/src/hostile/traps/index.ts'

const root = join(import.meta.dirname, '..', '..')

interface Report {
  readonly fell: number
  readonly unseen: number
  readonly verdicts: readonly { readonly name: string; readonly outcome: string; readonly why: string }[]
}

/** `warder hostile --json TRAPS -- CLIENT {url}`, as people run it. */
async function runHostile(
  names: readonly string[],
  client: string,
): Promise<{ readonly code: number | null; readonly report: Report }> {
  const node = ['--conditions=@warder/source']
  const child = spawn(
    process.execPath,
    [
      ...node,
      join(root, 'apps/cli/src/main.ts'),
      'hostile',
      '--json',
      ...names,
      '--',
      process.execPath,
      ...node,
      join(root, 'test/hostile-server', client),
      '{url}',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const report = JSON.parse(await text(child.stdout)) as Report
  return { code: await ended, report }
}

const outcomes = ({ verdicts }: Report): Readonly<Record<string, string>> =>
  Object.fromEntries(verdicts.map(({ name, outcome }) => [name, outcome]))

/** What this server cannot see, and what makes a careless client wait for ever. */
const cannotCatch: ReadonlySet<string> = new Set([
  'metadata-elsewhere',
  'metadata-endless',
  'page-javascript',
  'page-file',
  'page-program',
  'page-plain-http',
  'token-for-ever',
])

describe('warder hostile', () => {
  test('every trap catches a client that checks nothing', async () => {
    const names = traps.map(({ name }) => name).filter((name) => !cannotCatch.has(name))
    const { code, report } = await runHostile(names, 'careless-client.ts')
    const free = Object.entries(outcomes(report)).filter(([, outcome]) => outcome !== 'fell')
    expect(free).toEqual([])
    expect(code).toBe(1)
  })

  test('and lets the official SDK go where it is careful', async () => {
    const names = [
      'honest',
      'issuer-differs',
      'mix-up',
      'iss-missing',
      'door-redirects',
      'other-server-later',
    ]
    const { code, report } = await runHostile(names, 'sdk-client.ts')
    expect(outcomes(report)).toEqual(Object.fromEntries(names.map((name) => [name, 'safe'])))
    expect(code).toBe(0)
  })

  // Each trap starts a program of its own, and some make it wait for a deadline.
  test('Warder itself falls for none of them', { timeout: 300_000 }, async () => {
    const { code, report } = await runHostile([], '../conformance/client-under-test.ts')
    expect(outcomes(report)).toEqual(Object.fromEntries(traps.map(({ name }) => [name, 'safe'])))
    expect(code).toBe(0)
  })
})
