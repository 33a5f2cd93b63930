import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallbackListener, listenForCallback } from '../e2e/callback-listener.ts'
import { browserPath, type Consent, createPerson, type Person } from '../e2e/person.ts'
import { createSdk1Host, type Sdk1Host } from './sdk-1-host.ts'
import { email, password, startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

describe.skipIf(browserPath === undefined)(
  'version 1 of the official SDK in a real browser (skipped only where no Chromium is installed)',
  () => {
    let warder: WarderForClients
    let person: Person
    let callback: CallbackListener
    let host: Sdk1Host
    let client: Client
    let consent: Consent = { decision: 'allow' }

    beforeAll(async () => {
      warder = await startWarderForClients()
      person = await createPerson({ email, password })
      callback = await listenForCallback()
      host = createSdk1Host({
        endpoint: warder.endpoint,
        redirectUrl: callback.url,
        async authorize(url) {
          await person.signIn(url.href, consent)
          return (await callback.next()).params
        },
      })
    })

    afterAll(async () => {
      callback?.close()
      await person?.leave()
      await warder?.end()
    })

    test('401 → discovery → registration → login → consent → token', async () => {
      client = await host.connect()
      expect(host.visited).toHaveLength(1)
      expect(host.visited[0]?.searchParams.get('resource')).toBe(warder.endpoint)
      expect(host.visited[0]?.searchParams.get('scope')).toBe('everything:read')
      expect(host.tokens()?.scope).toBe('everything:read')
      expect(host.revision()).toBe('2025-11-25')
    })

    test('N03 the list is filtered, and an allowed call reaches the server', async () => {
      const { tools } = await client.listTools()
      expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
      const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
      expect(JSON.stringify(result)).toContain('hello')
    })

    test('RS-21 a call that was not granted: this SDK refreshes, gets 403 again, and says so; a new sign-in opens it', async () => {
      const before = host.tokens()?.refresh_token
      const call = (from: Client): ReturnType<Client['callTool']> =>
        from.callTool({ name: 'get-env', arguments: {} })
      await expect(call(client)).rejects.toMatchObject({
        code: 403,
        message: expect.stringContaining('after trying upscoping'),
      })
      expect(host.tokens()?.refresh_token).not.toBe(before)
      expect(host.tokens()?.scope).toBe('everything:read')
      expect(host.visited).toHaveLength(1)

      consent = { decision: 'allow', switchOn: ['everything:env'] }
      await host.startOver()
      const result = await host.withSignIn(call)
      expect(JSON.stringify(result)).toContain('PATH')
      expect(host.visited).toHaveLength(2)
      expect(host.visited[1]?.searchParams.get('scope')?.split(' ').sort()).toEqual([
        'everything:env',
        'everything:read',
      ])
      expect(host.tokens()?.scope?.split(' ').sort()).toEqual(['everything:env', 'everything:read'])
    })

    test('an aged access token is refreshed without the person', async () => {
      const before = host.tokens()!
      host.setTokens({ ...before, access_token: 'aged' })
      const result = await host.withSignIn((same) =>
        same.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } }),
      )
      expect(JSON.stringify(result)).toContain('5')
      expect(host.tokens()?.refresh_token).not.toBe(before.refresh_token)
      expect(host.visited).toHaveLength(2)
    })

    test('after a revocation the next call needs the person, who can give access again', async () => {
      const revoked = await fetch(`${warder.issuer}/revoke`, {
        method: 'POST',
        body: new URLSearchParams({
          token: host.tokens()?.refresh_token ?? '',
          client_id: host.clientId(),
        }),
      })
      expect(revoked.status).toBe(200)
      // After this the change must be known everywhere: the promise of the product, not a guess at its speed.
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      consent = { decision: 'allow' }
      const result = await host.withSignIn((same) =>
        same.callTool({ name: 'echo', arguments: { message: 'back again' } }),
      )
      expect(JSON.stringify(result)).toContain('back again')
      expect(host.visited).toHaveLength(3)
    })

    test('the session ends when the host leaves', async () => {
      const knock = host.knock()
      expect(await knock()).toBe(200)
      await host.leave()
      expect(await knock()).toBe(404)
    })
  },
)
