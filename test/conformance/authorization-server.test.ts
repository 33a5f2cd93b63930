import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBrowser } from '../protect/scripted-sign-in.ts'
import { startEverythingServer } from './everything-server.ts'
import { freePort } from './free-port.ts'
import { runSuite } from './run-suite.ts'
import { email, password, startBehindWarder } from './start-behind-warder.ts'

describe('the official conformance suite, authorization: 3 of 3 without a warning', () => {
  let upstream: Awaited<ReturnType<typeof startEverythingServer>>
  let behind: Awaited<ReturnType<typeof startBehindWarder>>

  beforeAll(async () => {
    upstream = await startEverythingServer()
    behind = await startBehindWarder(`url: ${upstream.url}`)
  })
  afterAll(async () => {
    await behind.stop()
    await upstream.stop()
  })

  test.each([
    { revision: '2026-07-28', withResource: true },
    { revision: '2026-07-28', withResource: false },
    { revision: '2025-03-26', withResource: true },
  ])('revision $revision, with resource: $withResource', async ({ revision, withResource }) => {
    const { issuer, endpoint } = behind.warder
    const port = await freePort()
    const registered = await fetch(`${issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [`http://127.0.0.1:${port}/callback`] }),
    })
    const { client_id: clientId } = (await registered.json()) as { client_id: string }
    const args = [
      ...['authorization', '--url', issuer, '--client-id', clientId, '--port', String(port)],
      ...['--spec-version', revision, ...(withResource ? ['--resource', endpoint] : [])],
    ]
    const { exitCode, checks } = await runSuite(args, (url) => signInAt(issuer, url))
    // The third check is about client id metadata documents, which the revision of March 2025 does not know.
    const documents = revision === '2025-03-26' ? [] : ['authorization-server-metadata-cimd SUCCESS']
    expect([exitCode, Object.fromEntries(checks)]).toEqual([
      0,
      {
        'authorization-server-metadata-endpoint': ['authorization-server-metadata SUCCESS', ...documents],
        'authorization-code-grant': ['authorization-code-grant SUCCESS'],
      },
    ])
  })
})

/** Signs in, allows what the page proposes, and goes back to the suite. */
async function signInAt(issuer: string, url: string): Promise<void> {
  const browser = openBrowser(issuer)
  const consent = await browser.submit(await browser.get(url), { email, password })
  await fetch((await browser.submit(consent, { decision: 'allow' })).url)
}
