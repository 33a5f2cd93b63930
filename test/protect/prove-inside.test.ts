import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { readPolicy } from '@warder/policy'
import { openStore } from '@warder/store'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Inside, tokenSource } from '../../apps/cli/src/prove/inside/attempt.ts'
import type { Case } from '../../apps/cli/src/prove/inside/find-case.ts'
import { proveInside } from '../../apps/cli/src/prove/inside/prove-inside.ts'
import { startStubUpstream } from '../../apps/cli/src/prove/inside/stub-upstream.ts'
import { makeThrowawayKeys } from '../../apps/cli/src/prove/inside/throwaway-keys.ts'
import { tokenAttempts } from '../../apps/cli/src/prove/inside/token-attempts.ts'
import { toolsOfPolicy } from '../../apps/cli/src/prove/inside/tools-of-policy.ts'
import { failed } from '../../apps/cli/src/prove/proof.ts'
import { everything, runWarder } from '../e2e/warder-process.ts'

const directory = mkdtempSync(join(tmpdir(), 'warder-inside-'))
const temporary = join(directory, 'tmp')
mkdirSync(temporary)
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Proof {
  readonly failed: number
  readonly servers: readonly {
    readonly name: string
    readonly rows: readonly { readonly id: string; readonly outcome: string; readonly says: string }[]
  }[]
}

/** What the proof of each server of a policy says; checks that nothing stays in the temporary directory. */
async function prove(
  text: string,
  { issuer, left = [] }: { readonly issuer?: string; readonly left?: readonly string[] } = {},
): Promise<Record<string, string>[]> {
  const policy = readPolicy(text)
  const before = process.env['TMPDIR']
  process.env['TMPDIR'] = temporary
  const outcomes: Record<string, string>[] = []
  try {
    for (const server of policy.servers.values()) {
      const rows = await proveInside({ policy, server, tools: toolsOfPolicy(server), issuer })
      outcomes.push(Object.fromEntries(rows.map((row) => [row.id, row.outcome])))
    }
  } finally {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
  }
  expect(readdirSync(temporary).toSorted()).toEqual(left)
  return outcomes
}

const notes = (access: string): string => `
version: 1
servers:
  notes:
    url: http://127.0.0.1:1/mcp
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, implies: [notes:read] }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: create_note, scopes: [notes:write] }
      - { match: delete_*, never: true }
access:
  - ${access}
`

const allPassed = {
  'another-key': 'passed',
  'another-audience': 'passed',
  expired: 'passed',
  'too-little-scope': 'passed',
  'hidden-tool': 'passed',
  'unregistered-redirect': 'passed',
  'code-without-verifier': 'passed',
  'code-replayed': 'passed',
  'refresh-replayed': 'passed',
}

const eachOutcome = (outcome: string): Record<string, string> =>
  Object.fromEntries(Object.keys(allPassed).map((id) => [id, outcome]))

describe('the inside proof', () => {
  test.each([
    ['the owner with any client', '{ who: { user: owner }, client: any, may: [notes:read, notes:write] }'],
    ['a user by e-mail', '{ who: { user: ann@example.com }, client: local, may: [notes:read, notes:write] }'],
    ['everybody', '{ who: anyone, client: self-registered, may: [notes:read, notes:write] }'],
    [
      'a client on a proven host',
      '{ who: { user: owner }, client: "https://client.example/*", may: [notes:write] }',
    ],
    ['a client that an operator entered', '{ who: { user: owner }, client: our-client, may: [notes:write] }'],
  ])('RS-09 RS-10 RS-12 RS-21 AS-13 AS-14 every attempt is made with %s and refused', async (_who, row) => {
    expect(await prove(notes(row))).toEqual([allPassed])
  })

  test('with a user in a group, and past a tool whose condition cannot be told without arguments', async () => {
    const policy = notes('{ who: { group: staff }, client: any, may: [notes:read, notes:write] }')
      .replace('access:', 'groups:\n  staff: [bea@example.com]\naccess:')
      .replace('tools:', 'tools:\n      - { match: move_note, scopes: [notes:read] }')
    const condition =
      '  - { who: anyone, client: any, never: [notes:read], tools: [move_note], when: args.to == "bin" }\n'
    expect(await prove(policy + condition)).toEqual([allPassed])
  })

  test('what the policy has no case for is not applicable, never passed', async () => {
    const narrow = `
version: 1
servers:
  notes:
    url: http://127.0.0.1:1/mcp
    scopes:
      notes:read: { title: Read notes, basic: true }
    tools: [ { match: search_notes, scopes: [notes:read] } ]
access:
  - { who: { user: owner }, client: any, may: [notes:read] }
`
    expect(await prove(narrow)).toEqual([
      { ...allPassed, 'too-little-scope': 'not-applicable', 'hidden-tool': 'not-applicable' },
    ])
  })

  test('what a proof that was killed has left is deleted by the next one, and nothing else', async () => {
    const left = join(temporary, 'warder-proof-killed')
    const elsewhere = join(directory, 'elsewhere')
    mkdirSync(left)
    mkdirSync(elsewhere)
    writeFileSync(join(left, 'warder.sqlite'), '')
    symlinkSync(elsewhere, join(temporary, 'warder-proof-link'))
    mkdirSync(join(temporary, 'warder-proof-running'))
    const longAgo = Date.now() / 1000 - 3600
    utimesSync(left, longAgo, longAgo)
    utimesSync(elsewhere, longAgo, longAgo)
    const others = ['warder-proof-link', 'warder-proof-running']
    await prove(notes('{ who: { user: owner }, client: any, may: [notes:read] }'), { left: others })
    expect(existsSync(elsewhere)).toBe(true)
    for (const name of others) rmSync(join(temporary, name), { recursive: true })
  })

  test('a policy that is about nobody who could sign in proves nothing', async () => {
    const outcome = await prove(notes('{ who: { user: wus_somebody }, client: any, may: [notes:read] }'))
    expect(outcome).toEqual([eachOutcome('not-applicable')])
  })

  test('RS-13 with a foreign issuer only what the guard decides is tried', async () => {
    const outcome = await prove(
      notes('{ who: { user: alice }, client: any, may: [notes:read, notes:write] }'),
      { issuer: 'https://idp.example' },
    )
    expect(outcome).toEqual([
      {
        ...eachOutcome('not-applicable'),
        'another-key': 'passed',
        'another-audience': 'passed',
        expired: 'passed',
        'too-little-scope': 'passed',
        'hidden-tool': 'passed',
      },
    ])
  })

  test('warder prove --inside: a table for people, JSON for programs; a missing file and a stray address are one clear line', async () => {
    writeFileSync(
      join(directory, 'warder.yaml'),
      notes('{ who: { user: owner }, client: any, may: [notes:read] }'),
    )
    const { code, out } = await runWarder(directory, ['prove', '--inside'])
    expect(code).toBe(0)
    expect(out).toContain('Code used a second time')
    expect(out).toContain('Nobody gets further than the policy lets them by these.')
    const json = await runWarder(directory, [
      'prove',
      '--inside',
      '--json',
      '--issuer',
      'https://idp.example',
    ])
    expect(JSON.parse(json.out)).toMatchObject({ failed: 0, servers: [{ name: 'notes' }] })
    const missing = await runWarder(directory, ['prove', '--inside', '--policy', 'none.yaml'])
    expect(missing).toMatchObject({ code: 1, err: expect.stringMatching(/^warder: there is no none\.yaml/) })
    const stray = await runWarder(directory, ['prove', '--inside', 'http://localhost:1/mcp'])
    expect(stray.code).toBe(2)
  })
})

describe('warder protect, after its first screen', () => {
  test('proves the live policy, and the live instance hears nothing of it', async () => {
    const data = join(directory, 'data')
    const main = join(import.meta.dirname, '../../apps/cli/src/main.ts')
    const args = ['--port', '0', '--name', 'everything', '--policy', 'live.yaml', '--data', data, '--json']
    const child = spawn(
      process.execPath,
      ['--conditions=@warder/source', main, 'protect', ...args, '--', process.execPath, everything, 'stdio'],
      { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, TMPDIR: temporary } },
    )
    const ended = once(child, 'exit')
    const lines: string[] = []
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line)
      if (lines.length === 2) child.kill('SIGTERM')
    }
    expect((await ended)[0]).toBe(0)
    const { insideProof } = JSON.parse(lines[1] ?? '') as { insideProof: Proof['servers'] }
    expect(insideProof.map(({ name }) => name)).toEqual(['everything'])
    const outcomes = Object.fromEntries((insideProof[0]?.rows ?? []).map((row) => [row.id, row.outcome]))
    expect(outcomes).toEqual({ ...allPassed, 'hidden-tool': 'not-applicable' })
    expect(readdirSync(temporary)).toEqual([])
    const records = readdirSync(join(data, 'log')).flatMap((file) =>
      readFileSync(join(data, 'log', file), 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
    expect(records.filter(({ kind }) => kind === 'decision')).toEqual([])
    const store = await openStore({ file: join(data, 'warder.sqlite') })
    expect([await store.users.list(), await store.clients.list()]).toEqual([[], []])
    await store.close()
  })
})

describe('the attempts with tokens, at doors that are wrong', () => {
  const found: Case = {
    user: { kind: 'user', name: 'alice' },
    client: { class: 'self-registered', id: undefined },
    scopes: ['notes:read', 'notes:write'],
    open: { kind: 'tool', name: 'search_notes' },
    locked: { tool: 'create_note', scopes: ['notes:read'] },
    hidden: 'delete_everything',
  }

  /** What the attempts say of a door in front of a stub; the door is the stub itself where nothing stands in front. */
  const tryDoor = async (door?: RequestListener): Promise<Record<string, string>> => {
    const stub = await startStubUpstream(['search_notes', 'create_note', 'delete_everything'])
    onTestFinished(stub.close)
    const endpoint = door === undefined ? stub.url : await listen(door)
    const issuing = {
      kind: 'foreign',
      issuer: 'https://idp.example',
      keys: await makeThrowawayKeys(),
    } as const
    const throwaway = { endpoint, elsewhere: `${endpoint}/elsewhere`, stub, clock: { ahead: 0 }, issuing }
    const inside: Inside = { throwaway, case: found, token: tokenSource(throwaway, found) }
    const outcomes: Record<string, string> = {}
    for (const attempt of tokenAttempts) {
      const verdict = await attempt.run(inside).catch((error: Error) => failed(error.message))
      outcomes[attempt.id] = verdict.outcome
    }
    return outcomes
  }
  const allFailed = Object.fromEntries(tokenAttempts.map(({ id }) => [id, 'failed']))

  test('RS-16 a door that lets everybody through fails every attempt', async () => {
    expect(await tryDoor()).toEqual(allFailed)
  })

  test('a door that refuses everybody proves nothing, so it fails too', async () => {
    const everybodyRefused: RequestListener = (_req, res) =>
      void res.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
    expect(await tryDoor(everybodyRefused)).toEqual(allFailed)
  })
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
}
