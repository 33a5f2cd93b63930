import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, runWarder, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { call, signIn } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }

const policyWith = (access: string, name = 'notes'): string => `
version: 1
servers:
  ${name}:
    run: ${JSON.stringify([process.execPath, everything, 'stdio'])}
    scopes:
      notes:read: { title: Read notes, basic: true }
    tools:
      - { match: echo, scopes: [notes:read] }
      - { match: get-sum, scopes: [notes:read] }
access:
${access}
`
const conditional = `  - { who: { user: owner }, client: any, may: [notes:read], when: 'args.message == "ci"' }`
const all = '  - { who: { user: owner }, client: any, may: [notes:read] }'

describe('the policy file of a running Warder', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-policy-'))
  const file = join(directory, 'warder.yaml')
  let warder: WarderProcess
  let token: string

  beforeAll(async () => {
    writeFileSync(file, policyWith(conditional))
    warder = await startWarder({ directory, args: ['--port', '0'] })
    await claimOwner(directory, owner)
    const signedIn = await signIn({ issuer: warder.issuer, resource: warder.endpoint, ...owner })
    token = signedIn.tokens.access_token
  })

  afterAll(async () => {
    await warder.stop('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  })

  const echo = async (message: unknown): Promise<string> =>
    (await call(warder.endpoint, token, 'tools/call', { name: 'echo', arguments: { message } })).text()
  const listed = async (): Promise<string> => (await call(warder.endpoint, token, 'tools/list')).text()

  /** Changes the file and waits for the words about it. */
  const change = async (text: string, words: RegExp): Promise<string> => {
    const before = warder.said().length
    // As editors do: another file takes the name.
    writeFileSync(`${file}.new`, text)
    renameSync(`${file}.new`, file)
    while (!words.test(warder.said().slice(before))) await new Promise((resolve) => setTimeout(resolve, 50))
    return warder.said().slice(before)
  }

  test('M17 the arguments of each call are decided, and the list shows the tool', async () => {
    expect(await listed()).toContain('"echo"')
    expect(await echo('ci')).toContain('Echo: ci')
    for (const message of ['prod', ['ci'], 5, { ci: 1 }]) {
      const answer = await echo(message)
      expect(answer).toContain('"isError":true')
      expect(answer).not.toContain('Echo')
    }
    const without = await call(warder.endpoint, token, 'tools/call', { name: 'echo' })
    expect([without.status, await without.text()]).toEqual([200, expect.stringContaining('"isError":true')])
  })

  test('N19 S09 a half-written file changes nothing and is shown with all its mistakes', async () => {
    const said = await change(
      `${policyWith(all).slice(0, -20)}\nnope: [\n`,
      /cannot be used:\n.*warder\.yaml:\d+:\d+: /,
    )
    expect(said).toContain('The policy before stays in force.')
    const more = await change(
      policyWith(`  - { who: bob, may: [nope] }`).replace('version: 1', 'version: 2'),
      /cannot be used/,
    )
    expect(more.match(/warder\.yaml:\d+:\d+: /g)?.length).toBe(3)
    expect(await echo('ci')).toContain('Echo: ci')
    expect(await echo('prod')).toContain('"isError":true')
  })

  test('S09 another name or command of a server needs a restart, and is refused as a whole', async () => {
    const renamed = policyWith(all, 'other')
    expect(await change(renamed, /restart/)).toContain('the server notes is gone or has another name')
    const moved = policyWith(all).replace('"stdio"', '"stdio", "--other"')
    expect(await change(moved, /restart/)).toContain('run of notes is another')
    expect(await echo('prod')).toContain('"isError":true')
  })

  test('N19 a wider policy counts for the next message, and says what is wider', async () => {
    const said = await change(policyWith(all), /wider:/)
    expect(said).toContain('notes: user owner with client any may now notes:read')
    expect(await echo('prod')).toContain('Echo: prod')
  })

  test('N19 a narrower policy counts for the next message, and closes open streams', async () => {
    const stream = await call(warder.endpoint, token, 'subscriptions/listen', {
      notifications: { toolsListChanged: true },
    })
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    let isOpen = true
    const ended = stream
      .text()
      .catch(() => 'broken off')
      .finally(() => (isOpen = false))
    await change(policyWith(`${all}\n  - { who: { user: bob }, may: [notes:read] }`), /wider:/)
    expect(isOpen).toBe(true)
    const said = await change(policyWith(conditional), /narrower:/)
    expect(said).toContain('notes: user owner with client any may no longer notes:read')
    await ended
    expect(await echo('prod')).toContain('"isError":true')
    await change(policyWith('  - { who: { user: bob }, may: [notes:read] }'), /narrower:/)
    const refused = await call(warder.endpoint, token, 'tools/list')
    expect(refused.status).toBe(403)
  })

  test('N19 a file that is gone changes nothing until it is back', async () => {
    const before = warder.said().length
    renameSync(file, `${file}.away`)
    while (!/no such file/.test(warder.said().slice(before)))
      await new Promise((resolve) => setTimeout(resolve, 50))
    expect((await call(warder.endpoint, token, 'tools/list')).status).toBe(403)
    await change(policyWith(all), /wider:/)
    expect(await echo('prod')).toContain('Echo: prod')
  })
})

describe('warder policy', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-policy-commands-'))
  const run = (...args: string[]): ReturnType<typeof runWarder> => runWarder(directory, ['policy', ...args])

  beforeAll(() => {
    writeFileSync(join(directory, 'warder.yaml'), policyWith(conditional))
    writeFileSync(join(directory, 'broken.yaml'), 'version: 2\nservers: { s: { run: [x], nope: 1 } }\n')
  })

  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  test('S09 check shows all mistakes with line and column, and ends with 1', async () => {
    expect(await run('check')).toMatchObject({ code: 0, out: 'warder.yaml is in order.\n', err: '' })
    const broken = await run('check', 'broken.yaml')
    expect(broken).toMatchObject({ code: 1, out: '' })
    expect(broken.err.match(/^broken\.yaml:\d+:\d+: /gm)?.length).toBe(2)
    const json = await run('check', 'broken.yaml', '--json')
    expect([json.code, JSON.parse(json.out)]).toMatchObject([
      1,
      { ok: false, problems: [{ line: 1 }, { line: 2 }] },
    ])
    expect(await run('check', 'absent.yaml')).toMatchObject({
      code: 2,
      err: expect.stringContaining('no absent'),
    })
  })

  test('show prints the matrix and the tools', async () => {
    const { out } = await run('show')
    expect(out).toMatch(/user owner +any +may +when args\.message == "ci"/)
    expect(out).toMatch(/echo +notes:read/)
    const json = JSON.parse((await run('show', '--json')).out)
    expect(json.access[0]).toMatchObject({ who: { name: 'owner' }, may: ['notes:read'] })
  })

  test('explain gives the decision that a call gets, with its reason', async () => {
    const args = ['explain', '--user', 'owner', 'echo']
    expect((await run(...args)).out).toMatch(/^locked: .*arguments/)
    expect((await run(...args, '--args', '{"message":"ci"}')).out).toMatch(/^open: /)
    expect((await run(...args, '--args', '{"message":"ci"}', '--scopes', '')).out).toMatch(
      /missing: notes:read/,
    )
    expect((await run(...args, '--args', '{"message":"x"}')).out).toMatch(
      /^hidden: [\s\S]*row 1 .*does not hold/,
    )
    const json = JSON.parse((await run('explain', '--user', 'bob', '--json', 'echo')).out)
    expect(json.decision.outcome).toBe('hidden')
    expect(await run(...args, '--args', '[]')).toMatchObject({ code: 2 })
    expect(await run('explain', 'echo')).toMatchObject({ code: 2 })
  })

  test('schema prints a JSON schema', async () => {
    expect(JSON.parse((await run('schema')).out)).toMatchObject({ title: 'Warder policy file' })
  })
})
