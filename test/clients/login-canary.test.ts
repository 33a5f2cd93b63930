import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readServerEntry, readTokens, serverName, tokenName } from '@warder/client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSecrets } from '../canary/secrets.ts'
import { childrenOf } from '../hosting/processes.ts'
import { startFakeBrowser } from './fake-browser.ts'
import { createLoginHome, type EndedCommand, type LoginHome } from './login-program.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

/**
 * Q16: sign-ins, a look at them, and a sign-out, while every process that takes part is watched; then a search for what nobody may
 * find. Where a secret is expected:
 *   MCP_CLIENT_SECRET: in the environment of `warder login`, where the user put it;
 *   an access token, a refresh token, a verifier: nowhere, since the store is encrypted;
 *   a state and a code: in the requests of the browser, and where a person was told to paste.
 */
const secrets = createSecrets()
const clientSecret = secrets.make('client secret')
let warder: WarderForClients
let home: LoginHome
const ended: EndedCommand[] = []
const seen = { commandLines: '', ownEnvironment: '', childEnvironment: '', children: 0 }
let links = ''

beforeAll(async () => {
  warder = await startWarderForClients()
  home = createLoginHome()
  const recorded = join(home.directory, 'random')
  const browser = await startFakeBrowser(home.directory, async (link) => {
    links += `${link}\n`
    const started = await fetch(link, { redirect: 'manual' })
    const url = new URL(started.headers.get('location') ?? '')
    const answer = await warder.answerTo(url)
    secrets.add('state', url.searchParams.get('state') ?? undefined)
    secrets.add('code', answer.searchParams.get('code') ?? undefined)
    await fetch(answer)
  })
  const options = {
    node: ['--import', join(import.meta.dirname, 'record-random.mjs')],
    env: {
      PATH: browser.env['PATH'] ?? '',
      DISPLAY: ':0',
      RECORDED_RANDOM: recorded,
      MCP_CLIENT_SECRET: clientSecret,
    },
  }
  await watched(['login', warder.endpoint], options)
  const store = await home.openStore()
  const entry = await readServerEntry(store, serverName({ server: warder.endpoint, profile: 'default' }))
  const tokens = entry && (await readTokens(store, tokenName(entry)))
  secrets.add('access token', tokens?.accessToken)
  secrets.add('refresh token', tokens?.refreshToken)
  await watched(['status'], options)
  await watched(['token', 'explain', warder.endpoint], options)
  await watched(['logout', warder.endpoint], options)
  const published = links + readSalt()
  for (const value of readFileSync(recorded, 'utf8').trimEnd().split('\n'))
    if (!published.includes(value)) secrets.add('verifier or state', value)
  browser.close()
})

afterAll(async () => {
  home?.end()
  await warder?.end()
})

/** The salt of the encrypted store stands in the clear beside it. */
function readSalt(): string {
  const files = readdirSync(home.directory, { recursive: true, encoding: 'utf8' })
  const header = files.find((file) => file.endsWith('header.json'))
  const { salt } = JSON.parse(readFileSync(join(home.directory, header ?? ''), 'utf8')) as { salt: string }
  return Buffer.from(salt, 'base64').toString('base64url')
}

/** Runs a command and looks at it and its children, as anybody on the computer can, as often as there is time for it. */
async function watched(args: readonly string[], options: Parameters<LoginHome['start']>[1]): Promise<void> {
  const command = home.start(args, options)
  const looks = setInterval(() => {
    const own = read(command.pid, 'cmdline')
    seen.commandLines += own
    seen.ownEnvironment += read(command.pid, 'environ')
    for (const { pid } of childrenOf(command.pid)) {
      const words = read(pid, 'cmdline')
      // Between fork and exec a child is a copy of its parent, the environment included.
      if (words === own || words === '') continue
      seen.children++
      seen.commandLines += words
      seen.childEnvironment += read(pid, 'environ')
    }
  }, 5)
  ended.push(await command.ended)
  clearInterval(looks)
}

function read(pid: number, what: string): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'latin1')
  } catch {
    return ''
  }
}

test('the run was a whole one: there is something to find of every kind, and the browser was seen', () => {
  expect(ended.map(({ code, err }) => [code, code === 0 ? '' : err])).toEqual(
    [0, 0, 0, 0].map((code) => [code, '']),
  )
  for (const kind of ['state', 'code', 'access token', 'refresh token', 'verifier or state', 'client secret'])
    expect([kind, secrets.count(kind) > 0]).toEqual([kind, true])
  expect(seen.children).toBeGreaterThan(0)
  expect(seen.commandLines).toContain(links.trim())
})

test('Q16 no command line has a secret, not even that of the browser', () => {
  expect(secrets.findIn(seen.commandLines)).toEqual([])
})

test('Q16 no child has a secret in its environment', () => {
  expect(secrets.findIn(seen.ownEnvironment)).toEqual(['client secret'])
  expect(seen.childEnvironment).toContain('DISPLAY=:0')
  expect(secrets.findIn(seen.childEnvironment)).toEqual([])
})

test('Q16 nothing that was said has a secret', () => {
  for (const { out, err } of ended) expect(secrets.findIn(out + err)).toEqual([])
  expect(ended[0]?.err).toContain('Your browser opens now')
})

test('Q16 no file has a secret, in the store or outside it', () => {
  expect(secrets.findUnder(home.directory, ['random'])).toEqual([])
})
