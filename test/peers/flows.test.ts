import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEverythingServer } from '../conformance/everything-server.ts'
import { email, password, startBehindWarder } from '../conformance/start-behind-warder.ts'
import { openBrowser } from '../protect/scripted-sign-in.ts'
import { flows } from './flows.ts'
import { approveAtWarder, loadPeer, type Peer } from './peer.ts'
import { startOidcProvider } from './start-oidc-provider.ts'

const scope = 'conformance:all'

describe('one client at two servers: what it sees of Warder and of oidc-provider', () => {
  let upstream: Awaited<ReturnType<typeof startEverythingServer>>
  let behind: Awaited<ReturnType<typeof startBehindWarder>>
  let provider: Awaited<ReturnType<typeof startOidcProvider>>
  let ours: Peer
  let theirs: Peer

  beforeAll(async () => {
    upstream = await startEverythingServer()
    behind = await startBehindWarder(`url: ${upstream.url}`)
    const { issuer, endpoint: resource } = behind.warder
    provider = await startOidcProvider(() => [resource], [scope])
    ours = await loadPeer({ issuer, resource, scope, approve: approveAtWarder(issuer, email, password) })
    theirs = await loadPeer({
      issuer: provider.issuer,
      resource,
      scope,
      approve: (url) => openBrowser(provider.issuer).get(url),
    })
  })
  afterAll(async () => {
    await provider.stop()
    await behind.stop()
    await upstream.stop()
  })

  test.each(flows)('$does', async ({ run, sees }) => {
    const expected = 'both' in sees ? { ours: sees.both, theirs: sees.both } : { ...sees, id: undefined }
    expect({ ours: await run(ours), theirs: await run(theirs) }).toEqual(expected)
  })

  test('docs/divergences.md explains each difference, and no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/divergences.md'), 'utf8')
    const explained = [...page.matchAll(/^## (D\d\d) /gm)].map(([, id]) => id)
    expect(explained).toEqual(flows.flatMap(({ sees }) => ('id' in sees ? [sees.id] : [])))
  })
})
