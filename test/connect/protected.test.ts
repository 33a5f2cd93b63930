import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FakeBrowser, startFakeBrowser } from '../clients/fake-browser.ts'
import { startWarderForClients, type WarderForClients } from '../clients/warder-for-clients.ts'
import { startGuarded } from '../peers/start-guarded.ts'
import { startOidcProvider } from '../peers/start-oidc-provider.ts'
import { openBrowser } from '../protect/scripted-sign-in.ts'
import { connectCommand, startHost, startOldHost } from './hosted-bridge.ts'
import { startSdkProtected } from './sdk-protected.ts'

const open: { close(): Promise<void> }[] = []
const keep = <Kept extends { close(): Promise<void> }>(kept: Kept): Kept => {
  open.push(kept)
  return kept
}
const text = (result: unknown): string => JSON.stringify(result)

afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()))
})

describe('warder connect in front of warder protect', () => {
  let warder: WarderForClients
  let browser: FakeBrowser
  let switchOn: readonly string[] = []

  beforeAll(async () => {
    warder = await startWarderForClients()
    browser = await startFakeBrowser(warder.directory, async (url) =>
      warder.follow(await throughLauncher(url), switchOn),
    )
  })
  afterAll(async () => {
    browser?.close()
    await warder?.end()
  })
  const started = (home: string, ...args: string[]) =>
    connectCommand(join(warder.directory, home), [warder.endpoint, ...args], browser.env)

  for (const era of ['session', 'stateless'] as const) {
    test(`GW-84 a sign-in, then lists and calls; a host of the era ${era}`, async () => {
      const before = browser.visited.length
      const { client } = await startHost(started(`one-${era}`), era)
      keep(client)
      const call = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
      expect(browser.failures).toEqual([])
      expect(text(call)).toContain('hello')
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
      expect(browser.visited).toHaveLength(before + 1)
    })
  }

  test('a second start needs nobody, with the official client 1.32 too; several run side by side', async () => {
    const before = browser.visited.length
    const clients = await Promise.all([1, 2, 3].map(() => startOldHost(started('one-session'))))
    for (const client of clients) {
      keep(client)
      expect(client.getServerVersion()?.name).toMatch(/everything/)
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name)).toContain('echo')
      expect(text(await client.callTool({ name: 'echo', arguments: { message: 'again' } }))).toContain(
        'again',
      )
    }
    expect(browser.visited).toHaveLength(before)
  })

  test('RS-21 a call that was not granted takes the person to a wider consent, and then works', async () => {
    const { client } = await startHost(started('one-session'), 'session')
    keep(client)
    switchOn = ['everything:env']
    expect(text(await client.callTool({ name: 'get-env', arguments: {} }))).toContain('PATH')
    switchOn = []
  })

  test('a denied tool is neither listed nor called', async () => {
    const { client } = await startHost(started('one-session', '--deny-tool', 'get-*'), 'session')
    keep(client)
    expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['echo'])
    const denied = await client.callTool({ name: 'get-sum', arguments: { a: 1, b: 2 } })
    expect(denied.isError).toBe(true)
    expect(text(denied)).toContain('get-')
  })

  test('without a browser the link is in the answer of a call, and the sign-in works from there', async () => {
    const quiet = { ...browser.env, PATH: process.env['PATH'] ?? '', BROWSER: '' }
    const command = connectCommand(join(warder.directory, 'shown'), [warder.endpoint, '--no-browser'], quiet)
    const host = await startHost(command, 'session')
    keep(host.client)
    await expect.poll(() => host.said(), { timeout: 30_000 }).toContain('/authorize?')
    const link = /http\S+\/authorize\?\S+/.exec(host.said())?.[0] ?? ''
    await warder.follow(new URL(link))
    expect(text(await host.client.callTool({ name: 'echo', arguments: { message: 'by hand' } }))).toContain(
      'by hand',
    )
  })
})

describe('a server whose authorization is made with the official SDK 1.32', () => {
  test('GW-84 OT-01 sign-in, list, call', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-connect-'))
    const server = await startSdkProtected()
    const browser = await startFakeBrowser(directory, async (url) => {
      await fetch(url)
    })
    try {
      const command = connectCommand(join(directory, 'home'), [server.url], browser.env)
      for (const era of ['auto', 'session', 'stateless'] as const) {
        const { client } = await startHost(command, era)
        expect(text(await client.callTool({ name: 'whoami', arguments: {} }))).toContain('signed in')
        expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['whoami'])
        await client.close()
      }
      expect(browser.visited).toHaveLength(1)
      expect(browser.failures).toEqual([])
    } finally {
      browser.close()
      await server.close()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

describe('oidc-provider issues the tokens', () => {
  test('GW-84 sign-in, list, call', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'warder-connect-'))
    const scope = 'conformance:all'
    let resource = ''
    const provider = await startOidcProvider(() => [resource], [scope])
    const guarded = await startGuarded(provider.issuer)
    resource = guarded.resource
    const browser = await startFakeBrowser(directory, async (url) => {
      const answer = await openBrowser(provider.issuer).get((await throughLauncher(url)).href)
      await fetch(answer.url)
    })
    try {
      const command = connectCommand(join(directory, 'home'), [resource], browser.env)
      const { client } = await startHost(command, 'stateless')
      keep(client)
      expect(text(await client.callTool({ name: 'test_simple_text', arguments: {} }))).toContain(
        'a simple text',
      )
    } finally {
      browser.close()
      guarded.server.closeAllConnections()
      guarded.server.close()
      await provider.stop()
      rmSync(directory, { recursive: true, force: true })
    }
  })
})

/** What a browser does with the link that it is given: it is ours, and leads to the authorization server once. */
async function throughLauncher(link: URL): Promise<URL> {
  const response = await fetch(link, { redirect: 'manual' })
  return new URL(response.headers.get('location') ?? `about:${response.status}`)
}
