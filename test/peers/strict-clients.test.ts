import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEverythingServer } from '../conformance/everything-server.ts'
import { email, password, startBehindWarder } from '../conformance/start-behind-warder.ts'
import { call } from '../protect/scripted-sign-in.ts'
import { approveAtWarder, callback } from './peer.ts'

/** Plain http is for this computer only; both libraries want that said. */
const plain = { [oauth.allowInsecureRequests]: true } as const
const scope = 'conformance:all'

/** After this the revocation must be known everywhere: the promise of the product, not a guess at its speed. */
const oneSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000))

const metadata = { client_name: 'Strict', redirect_uris: [callback] }

describe('strict OAuth clients at our authorization server', () => {
  let upstream: Awaited<ReturnType<typeof startEverythingServer>>
  let behind: Awaited<ReturnType<typeof startBehindWarder>>
  let issuer: string
  let resource: string

  beforeAll(async () => {
    upstream = await startEverythingServer()
    behind = await startBehindWarder(`url: ${upstream.url}`)
    issuer = behind.warder.issuer
    resource = behind.warder.endpoint
  })
  afterAll(async () => {
    await behind.stop()
    await upstream.stop()
  })

  const answerTo = async (url: URL, decision: 'allow' | 'deny' = 'allow'): Promise<URL> =>
    new URL((await approveAtWarder(issuer, email, password, decision)(url.href)).url)

  const opens = async (token: string): Promise<number> =>
    (await call(resource, token, 'tools/call', { name: 'test_simple_text', arguments: {} })).status

  describe('oauth4webapi', () => {
    let as: oauth.AuthorizationServer
    let client: oauth.Client

    const ask = async (verifier: string, state: string): Promise<URL> => {
      const url = new URL(as.authorization_endpoint ?? '')
      url.search = new URLSearchParams({
        response_type: 'code',
        client_id: client.client_id,
        redirect_uri: callback,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        scope,
        resource,
        state,
      }).toString()
      return url
    }

    beforeAll(async () => {
      const found = await oauth.processResourceDiscoveryResponse(
        new URL(resource),
        await oauth.resourceDiscoveryRequest(new URL(resource), plain),
      )
      const address = new URL(found.authorization_servers?.[0] ?? '')
      const response = await oauth.discoveryRequest(address, { algorithm: 'oauth2', ...plain })
      as = await oauth.processDiscoveryResponse(address, response)
      client = await oauth.processDynamicClientRegistrationResponse(
        await oauth.dynamicClientRegistrationRequest(as, metadata, plain),
      )
    })

    test('a code becomes tokens that RFC 9068 accepts and that open a tool; they rotate and end', async () => {
      const verifier = oauth.generateRandomCodeVerifier()
      const state = oauth.generateRandomState()
      const answer = await answerTo(await ask(verifier, state))
      const params = oauth.validateAuthResponse(as, client, answer, state)
      const more = { additionalParameters: { resource }, ...plain }
      const first = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), params, callback, verifier, more),
      )
      const request = new Request(resource, { headers: { authorization: `Bearer ${first.access_token}` } })
      const claims = await oauth.validateJwtAccessToken(as, request, resource, plain)
      expect(claims).toMatchObject({ iss: issuer, aud: resource, client_id: client.client_id, scope })
      expect(await opens(first.access_token)).toBe(200)

      const second = await oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, oauth.None(), first.refresh_token ?? '', more),
      )
      expect(second.refresh_token).not.toBe(first.refresh_token)
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, oauth.None(), second.refresh_token ?? '', plain),
      )
      const gone = oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(as, client, oauth.None(), second.refresh_token ?? '', more),
      )
      await expect(gone).rejects.toMatchObject({ name: 'ResponseBodyError', error: 'invalid_grant' })
      await oneSecond()
      expect(await opens(second.access_token)).toBe(401)
    })

    test('AS-08 an answer and an error name the issuer, and without it the client takes neither', async () => {
      const state = oauth.generateRandomState()
      const url = await ask(oauth.generateRandomCodeVerifier(), state)
      const denied = await answerTo(url, 'deny')
      const read = (answer: URL) => () => oauth.validateAuthResponse(as, client, answer, state)
      expect(read(denied)).toThrow(
        expect.objectContaining({ name: 'AuthorizationResponseError', error: 'access_denied' }),
      )
      const allowed = await answerTo(url)
      expect(read(allowed)).not.toThrow()
      for (const answer of [denied, allowed]) {
        answer.searchParams.delete('iss')
        expect(read(answer)).toThrow(expect.objectContaining({ name: 'OperationProcessingError' }))
      }
    })
  })

  describe('openid-client', () => {
    test('discovery, registration, code with PKCE and iss, a tool, refresh and revocation', async () => {
      const config = await openid.dynamicClientRegistration(new URL(issuer), metadata, openid.None(), {
        algorithm: 'oauth2',
        execute: [openid.allowInsecureRequests],
      })
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
      const checks = { pkceCodeVerifier, expectedState }
      const answer = await answerTo(url)
      const first = await openid.authorizationCodeGrant(config, answer, checks, { resource })
      expect(await opens(first.access_token)).toBe(200)
      const second = await openid.refreshTokenGrant(config, first.refresh_token ?? '', { resource })
      expect(second.refresh_token).not.toBe(first.refresh_token)
      await openid.tokenRevocation(config, second.access_token)
      const refreshed = openid.refreshTokenGrant(config, second.refresh_token ?? '')
      await expect(refreshed).rejects.toMatchObject({ error: 'invalid_grant' })
      await oneSecond()
      expect(await opens(second.access_token)).toBe(401)
    })
  })
})
