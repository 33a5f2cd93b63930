import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { negativeTests } from '../negative-tests.ts'
import { fits, judge } from './judge.ts'
import type { Row, Step } from './row.ts'
import { rows } from './rows/index.ts'
import { runRow } from './run-row.ts'
import type { Target } from './target.ts'

test('each row has a number of the catalogue, tries, and no two tries of one name', () => {
  const known = new Set(negativeTests.map(({ id }) => id))
  expect(rows.filter(({ id }) => !known.has(id))).toEqual([])
  expect(rows.filter(({ tries, good }) => tries.length === 0 || good.length === 0)).toEqual([])
  const names = rows.flatMap(({ id, tries }) => tries.map(({ what }) => `${id} ${what}`))
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([])
})

test.each([
  ['page 400', ['page 400'], 'exact'],
  ['400 -32700', ['400'], 'exact'],
  ['RS403', ['deny'], 'exact'],
  ['tool error', ['deny'], 'exact'],
  ['200 -32602', ['deny'], 'exact'],
  ['HM', ['400'], 'exact'],
  ['401', ['RS401'], 'secure'],
  ['redirect access_denied', ['page 400'], 'secure'],
  ['404', ['405'], 'secure'],
  ['500', ['400'], 'trouble'],
  ['page 500', ['page 400'], 'trouble'],
  ['200', ['400'], 'went through'],
  ['sign in', ['page 400'], 'went through'],
  ['code', ['page 403'], 'went through'],
  ['201', ['400 invalid_redirect_uri'], 'went through'],
  ['leak of x', ['200'], 'went through'],
  ['2 × 200, 18 × 400 invalid_grant', ['1 × 200, 19 × 400 invalid_grant'], 'went through'],
] as const)('%s where %j is expected is %s', (observed, expected, verdict) => {
  expect(judge(observed, expected, false)).toBe(verdict)
  const isThrough = verdict === 'went through'
  expect(judge(observed, expected, true)).toBe(isThrough ? 'chose otherwise' : verdict)
})

test('a status alone stands for every answer with it, and no other', () => {
  expect([
    fits('400 invalid_grant', '400'),
    fits('400', '400'),
    fits('4000', '400'),
    fits('401', '400'),
  ]).toEqual([true, true, false, false])
})

/** A product that answers with one status and body, to bad tokens with another. */
async function startFlat(answers: { good: number; bad: number; body?: (authorization: string) => string }) {
  const server = createServer((req, res) => {
    const authorization = String(req.headers['authorization'])
    if (authorization.includes('forward')) hits += 1
    res.writeHead(authorization.includes('bad') ? answers.bad : answers.good)
    res.end(answers.body?.(authorization) ?? '{}')
  })
  let hits = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const target: Target = {
    name: 'flat',
    has: new Set(['resource server', 'upstream']),
    values: { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp` },
    mint: () => 'good.bearer.token',
    upstream: { hits: () => hits, answer() {} },
    stop: async () => {},
  }
  return target
}

const good: readonly Step[] = [{ do: 'call' }]
const rowWith = (steps: readonly Step[]): Row => ({
  id: 'G02',
  needs: ['resource server'],
  good,
  twin: '200',
  expect: ['401'],
  tries: [{ what: 'a try', steps }],
})
const bad: Step = { do: 'call', token: 'bad' }

async function verdictOf(row: Row, target: Target): Promise<string> {
  const run = await runRow(row, target)
  if ('lacks' in run) return `lacks ${run.lacks.join()}`
  return run.results.map(({ verdict, observed }) => `${verdict}: ${observed}`).join()
}

test('a product that takes everything passes nothing, and one that refuses everything proves nothing', async () => {
  const row = rowWith([bad])
  expect(await verdictOf(row, await startFlat({ good: 200, bad: 401 }))).toBe('exact: 401')
  expect(await verdictOf(row, await startFlat({ good: 200, bad: 200 }))).toBe('went through: 200')
  expect(await verdictOf(row, await startFlat({ good: 401, bad: 401 }))).toBe('no twin: 401')
  expect(await verdictOf(row, await startFlat({ good: 200, bad: 500 }))).toBe('trouble: 500')
  const lacking = { ...row, needs: ['two servers'] as const }
  expect(await verdictOf(lacking, await startFlat({ good: 200, bad: 401 }))).toBe('lacks two servers')
})

test('a refusal that lets something through, or out, is none', async () => {
  const plain = await startFlat({ good: 200, bad: 401 })
  expect(await verdictOf(rowWith([{ do: 'call', token: 'bad forward' }]), plain)).toBe(
    'trouble: 401; reached the upstream',
  )
  const echo = await startFlat({ good: 200, bad: 401, body: (authorization) => authorization })
  expect(await verdictOf(rowWith([{ do: 'call', token: 'bad {bearer}' }]), echo)).toBe(
    'trouble: 401; repeats a secret',
  )
  const stack = await startFlat({ good: 200, bad: 401, body: () => 'Error: x\n    at f (/srv/app.js:1:2)' })
  expect(await verdictOf(rowWith([bad]), stack)).toBe('trouble: 401; stack trace')
  const hiding: Step = { ...bad, hides: ['app.js'] }
  expect(await verdictOf(rowWith([hiding]), stack)).toBe('went through: leak of app.js')
  expect(await verdictOf({ ...rowWith([bad]), reachesUpstream: true }, plain)).toBe('exact: 401')
})

test('a step on the way that must be refused and is not decides; one that must succeed and does not proves nothing', async () => {
  const target = await startFlat({ good: 200, bad: 401 })
  expect(await verdictOf(rowWith([{ ...bad, expect: ['401'] }, bad]), target)).toBe('exact: 401')
  expect(await verdictOf(rowWith([{ do: 'call', expect: ['401'] }, bad]), target)).toBe('went through: 200')
  expect(await verdictOf(rowWith([bad, bad]), target)).toBe('no twin: call: 401')
})
