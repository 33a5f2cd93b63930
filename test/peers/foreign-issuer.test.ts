import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEverythingServer } from '../conformance/everything-server.ts'
import { policyFor } from '../conformance/start-behind-warder.ts'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { call, openBrowser } from '../protect/scripted-sign-in.ts'
import { callback } from './peer.ts'
import { startGuarded } from './start-guarded.ts'
import { startOidcProvider, subject } from './start-oidc-provider.ts'

const scope = 'conformance:all'
const other = 'http://localhost:9/other/mcp'

describe('oidc-provider issues the tokens', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-peer-'))
  let provider: Awaited<ReturnType<typeof startOidcProvider>>
  let upstream: Awaited<ReturnType<typeof startEverythingServer>>
  let warder: WarderProcess
  let guarded: { readonly server: Server; readonly resource: string }

  beforeAll(async () => {
    provider = await startOidcProvider(() => [warder.endpoint, guarded.resource, other], [scope])
    upstream = await startEverythingServer()
    writeFileSync(join(directory, 'warder.yaml'), policyFor(`url: ${upstream.url}`, subject))
    warder = await startWarder({ directory, args: ['--port', '0', '--issuer', provider.issuer] })
    guarded = await startGuarded(provider.issuer)
  })
  afterAll(async () => {
    guarded.server.closeAllConnections()
    guarded.server.close()
    await warder.stop()
    await upstream.stop()
    await provider.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** A token by the code flow of openid-client, for one resource. */
  async function tokenFor(resource: string): Promise<string> {
    const config = await openid.dynamicClientRegistration(
      new URL(provider.issuer),
      { redirect_uris: [callback], application_type: 'native' },
      openid.None(),
      { execute: [openid.allowInsecureRequests] },
    )
    const pkceCodeVerifier = openid.randomPKCECodeVerifier()
    const expectedState = openid.randomState()
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: callback,
      scope,
      resource,
      state: expectedState,
      code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
    })
    const answer = new URL((await openBrowser(provider.issuer).get(url.href)).url)
    const checks = { pkceCodeVerifier, expectedState }
    return (await openid.authorizationCodeGrant(config, answer, checks, { resource })).access_token
  }

  const places = [
    { place: 'behind warder protect --issuer', endpoint: () => warder.endpoint },
    { place: 'behind the guard alone', endpoint: () => guarded.resource },
  ]

  describe.each(places)('$place', ({ endpoint }) => {
    const simpleText = (token: string): Promise<Response> =>
      call(endpoint(), token, 'tools/call', { name: 'test_simple_text', arguments: {} })

    test('RS-02 a client finds it by the metadata', async () => {
      const { origin, pathname } = new URL(endpoint())
      const found = await (await fetch(`${origin}/.well-known/oauth-protected-resource${pathname}`)).json()
      expect(found).toMatchObject({ resource: endpoint(), authorization_servers: [provider.issuer] })
    })

    test('its token opens a tool', async () => {
      const answer = await simpleText(await tokenFor(endpoint()))
      expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('simple text')])
    })

    test('G12 its token for another resource is refused', async () => {
      const answer = await simpleText(await tokenFor(other))
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
    })
  })
})
