import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeOwnerLink } from '@warder/authorization-server'
import { openStore } from '@warder/store'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { type Actor, createActor } from '../faults/actor.ts'
import { answerAsServer } from '../faults/counting-upstream.ts'
import { childrenOf } from '../hosting/processes.ts'
import { claimByLink, type Owner } from '../protect/claim-owner.ts'
import { call, openBrowser } from '../protect/scripted-sign-in.ts'
import { type OddAnswer, sendInOddPlaces } from './odd-places.ts'
import { type Recorder, recordFetch } from './recorder.ts'
import { createSecrets } from './secrets.ts'

/**
 * T02: a whole run of a real `warder protect` in which every secret is known to this test, and then a search for them in
 * everything that the run has left. Where one is expected:
 *   the state's own 32 bytes: in their file, and nowhere else;
 *   a code: in the `Location` that brings it to the client; a token: in the answer of /token that issues it;
 *   an owner link: as the address of the form on its own page;
 *   a cookie: in its `Set-Cookie`; a form token: in the page with that form;
 *   an environment variable: in the environment of Warder, where the operator put it, and of the child that the policy names;
 *   an argument of a tool: at the server that is called;
 *   a password that is sent as the name of a tool: it is a name then, in the answer and in the decision log. A token of ours
 *   is recognised there, and does not get into the log;
 *   what a request has as its id, revision or name: in the answer to that request.
 */
const directory = mkdtempSync(join(tmpdir(), 'warder-canary-'))
const data = join(directory, 'data')
const secrets = createSecrets()
const owner: Owner = { email: 'owner@example.com', password: secrets.make('password') }
const key = secrets.make('variable of a child')
const own = secrets.make('variable of Warder')
const argument = secrets.make('argument')

/** Everything that the HTTP server was sent, apart from the arguments. */
let reached = ''
const received: unknown[] = []
let upstream: Server
let warder: WarderProcess
let recorder: Recorder
let odd: OddAnswer[] = []
let environments: { readonly warder: string; readonly children: string; readonly commandLines: string }

const policyFor = (url: string, program: string): string => `
version: 1
servers:
  notes:
    url: ${url}
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:count: { title: Count notes, implies: [notes:read] }
    tools:
      - { match: echo, scopes: [notes:read] }
      - { match: count, scopes: [notes:count] }
  files:
    run: ${JSON.stringify([process.execPath, program, join(directory, 'noted')])}
    env: [CANARY_OF_CHILD]
    scopes:
      files:note: { title: Take notes, basic: true }
    tools:
      - { match: note, scopes: [files:note] }
access:
  - { who: { user: owner }, client: any, may: [notes:read, notes:count, files:note] }
`

beforeAll(async () => {
  recorder = recordFetch(secrets)
  upstream = createServer((req, res) => {
    reached += `${req.url}\n${req.rawHeaders.join('\n')}\n`
    answerAsServer(req, res, (seen) => received.push(seen.arguments['text'])).catch(() => res.destroy())
  })
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/mcp`
  const program = join(import.meta.dirname, '..', 'soak', 'child-program.mjs')
  writeFileSync(join(directory, 'warder.yaml'), policyFor(url, program))
  const env = { CANARY_OF_CHILD: key, CANARY_OF_WARDER: own }
  warder = await startWarder({ directory, args: ['--port', '0'], env })
  const state = readFileSync(join(data, 'secret'))
  for (const encoding of ['latin1', 'base64url', 'hex'] as const)
    secrets.add('state secret', state.toString(encoding))
  await runEverything()
  environments = readEnvironments()
})

afterAll(async () => {
  recorder.stop()
  await warder.stop('SIGKILL')
  upstream.close()
  upstream.closeAllConnections()
  rmSync(directory, { recursive: true, force: true })
})

/** Sign-ins, calls, step-up, refresh, replay, revocation, the account page, and what goes wrong in each. */
async function runEverything(): Promise<void> {
  const { issuer } = warder
  const notes = warder.servers.find(({ name }) => name === 'notes')?.endpoint ?? ''
  const files = warder.servers.find(({ name }) => name === 'files')?.endpoint ?? ''
  const store = await openStore({ file: join(data, 'warder.sqlite') })
  const link = await makeOwnerLink({ store, issuer, now: Date.now() })
  await store.close()
  secrets.add('owner link', link.split('/').at(-1))
  await claimByLink(link, owner)

  const actor = await createActor(issuer, notes, owner)
  const tokens = await actor.getTokens()
  const echo = (text: string) =>
    call(notes, tokens.access_token, 'tools/call', { name: 'echo', arguments: { text } })
  expect((await echo(argument)).status).toBe(200)
  const toCount = { name: 'count', arguments: { text: argument } }
  expect((await call(notes, tokens.access_token, 'tools/call', toCount)).status).toBe(403)
  const hosted = await (await createActor(issuer, files, owner)).getTokens()
  const toNote = { name: 'note', arguments: { text: argument } }
  expect((await call(files, hosted.access_token, 'tools/call', toNote)).status).toBe(200)
  expect((await call(files, tokens.access_token, 'tools/call', toNote)).status).toBe(401)

  await mistypePasswords(actor)
  const refreshed = await actor.refresh(tokens.refresh_token)
  const child = String(refreshed?.body['refresh_token'])
  await actor.refresh(child)
  expect((await actor.refresh(tokens.refresh_token))?.status).toBe(400)
  const code = await actor.getCode()
  await actor.redeem(code)
  expect((await actor.redeem(code))?.status).toBe(400)
  const again = await actor.getTokens()
  await visitAccount()
  for (const secret of [again.access_token, again.refresh_token, code, owner.password, key])
    odd.push(...(await sendInOddPlaces(notes, again.access_token, secret)))
  odd = odd.filter(({ status }) => status > 0)
  expect((await actor.revoke(again.refresh_token))?.status).toBe(200)
}

/** A password in the field of the e-mail, a wrong one, and a right one from a browser that has no part in it. */
async function mistypePasswords(actor: Actor): Promise<void> {
  const visit = await actor.open()
  await visit.sendLogin({ email: owner.password, password: secrets.make('wrong password') })
  // Another browser with this form: it has not the cookie.
  await openBrowser(warder.issuer).submit(visit.login, { ...owner })
}

async function visitAccount(): Promise<void> {
  const browser = openBrowser(warder.issuer)
  const page = await browser.get(`${warder.issuer}/account`)
  expect((await browser.submit(page, { ...owner })).html).toContain('Actor')
}

function readEnvironments(): typeof environments {
  const read = (pid: number, what: string): string => readFileSync(`/proc/${pid}/${what}`, 'latin1')
  const children = childrenOf(warder.pid).map(({ pid }) => pid)
  expect(children.length).toBeGreaterThan(0)
  return {
    warder: read(warder.pid, 'environ'),
    children: children.map((pid) => read(pid, 'environ')).join('\n'),
    commandLines: [warder.pid, ...children].map((pid) => read(pid, 'cmdline')).join('\n'),
  }
}

test('the run was a whole one: there is something to find of every kind', () => {
  const kinds = [
    'access_token',
    'refresh_token',
    'code',
    'code_verifier',
    'cookie',
    'form_token',
    'owner link',
  ]
  for (const kind of [...kinds, 'password', 'wrong password', 'state secret', 'argument'])
    expect([kind, secrets.count(kind) > 0]).toEqual([kind, true])
  expect(received).toEqual([argument])
  expect(odd.length).toBeGreaterThan(100)
})

test('T02 the search finds a planted secret, in every encoding', () => {
  const plain = secrets.make('planted')
  const bytes = Buffer.from(plain)
  const planted = [
    plain,
    `x${bytes.toString('base64')}`,
    Buffer.from(`x${plain}`).toString('base64'),
    Buffer.from(`xy${plain}z`).toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(plain),
    new URLSearchParams({ plain }).toString(),
    JSON.stringify({ plain: JSON.stringify(plain) }),
  ]
  for (const text of planted) expect([text, secrets.findIn(text)]).toEqual([text, ['planted']])
  expect(secrets.findIn(`nothing of ${plain.slice(0, -1)}`)).toEqual([])
  writeFileSync(join(data, 'log', 'planted'), planted[3]!)
  expect(secrets.findUnder(data, ['secret'])).toContain('planted in planted')
  rmSync(join(data, 'log', 'planted'))
})

test('T02 no secret stands in the state directory: database, write-ahead log, decision log', () => {
  expect(readdirSync(data)).toEqual(expect.arrayContaining(['warder.sqlite', 'warder.sqlite-wal', 'log']))
  const asNames = ['password', 'variable of a child'].map((kind) => `${kind} in ${logName()}`)
  expect(secrets.findUnder(data, ['secret'])).toEqual(asNames)
  expect(readFileSync(join(data, 'log', logName()), 'utf8')).toContain('"target":"[token]"')
})

const logName = (): string => readdirSync(join(data, 'log')).find((name) => name.endsWith('.jsonl')) ?? ''

test('T02 no secret is said to the terminal', () => {
  expect(warder.said()).not.toBe('')
  expect(secrets.findIn(warder.said())).toEqual([])
})

test('T02 O01 the server behind gets the argument, and no secret of Warder', () => {
  expect(reached).toContain('mcp-method')
  expect(secrets.findIn(reached)).toEqual([])
  expect(readFileSync(join(directory, 'noted'), 'utf8')).toBe(`${argument}\n`)
})

test('T02 P01 a child has the variable that the policy names, and no command line has any', () => {
  expect(secrets.findIn(environments.warder)).toEqual(['variable of Warder', 'variable of a child'])
  expect(secrets.findIn(environments.children)).toEqual(['variable of a child'])
  expect(secrets.findIn(environments.commandLines)).toEqual([])
})

test('T02 a refusal repeats nothing but the id, revision or name that it is about', () => {
  const repeating = odd.filter(({ text }) => secrets.findIn(text).length > 0).map(({ place }) => place)
  const named = ['id of the message', 'name of a resource', 'name of a tool', 'revision']
  expect([...new Set(repeating)].sort()).toEqual(named)
})

test('T02 a secret is answered only where it is issued', () => {
  const issued: readonly [RegExp, RegExp, string][] = [
    [/\/token$/, /^/, 'access_token, refresh_token, token'],
    [/./, /^set-cookie:/m, 'cookie'],
    [/./, /^location: [^\n]*[?&]code=/m, 'code'],
    [/./, /^content-type: text\/html/m, 'form_token'],
    [/\/owner\/[^/]+$/, /^content-type: text\/html/m, 'owner link'],
    [/\/notes\/mcp$|\/files\/mcp$/, /^/, 'argument'],
  ]
  for (const { url, status, headers, body } of recorder.answers) {
    const allowed = issued
      .filter(([at, how]) => at.test(url) && how.test(headers))
      .flatMap(([, , kinds]) => kinds.split(', '))
    const found = secrets.findIn(`${headers}\n${body}`).filter((kind) => !allowed.includes(kind))
    expect([url.replace(/\d+/, 'PORT'), status, found]).toEqual([url.replace(/\d+/, 'PORT'), status, []])
  }
})

test('T02 Warder leaves the limit on core files as it found it, and asks for no report or heap snapshot', () => {
  const limit = (pid: number | string): string | undefined =>
    /^Max core file size.*$/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[0]
  expect(limit(warder.pid)).toBe(limit('self'))
  expect(environments.commandLines).not.toMatch(/report-|heapsnapshot|inspect|diagnostic-dir/)
  expect(readdirSync(directory).sort()).toEqual(['data', 'noted', 'warder.yaml'])
})
