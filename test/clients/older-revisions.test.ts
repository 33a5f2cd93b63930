import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEverythingOverHttp } from '../e2e/warder-process.ts'
import { createSdk1Host, type Sdk1Host } from './sdk-1-host.ts'
import { startWarderForClients, type WarderForClients } from './warder-for-clients.ts'

describe.each(['a stdio command', 'an HTTP server'] as const)(
  'hosts of older revisions, in front of %s',
  (kind) => {
    let upstream: Awaited<ReturnType<typeof startEverythingOverHttp>> | undefined
    let warder: WarderForClients

    beforeAll(async () => {
      upstream = kind === 'an HTTP server' ? await startEverythingOverHttp() : undefined
      warder = await startWarderForClients(upstream === undefined ? undefined : `url: ${upstream.url}`)
    })

    afterAll(async () => {
      await warder?.end()
      await upstream?.stop()
    })

    describe.each(['2025-11-25', '2025-06-18', '2025-03-26'])('%s', (revision) => {
      let host: Sdk1Host
      let client: Client
      let switchOn: readonly string[] = []

      beforeAll(async () => {
        host = createSdk1Host({
          endpoint: warder.endpoint,
          redirectUrl: 'http://localhost:7778/callback',
          revision,
          authorize: async (url) => (await warder.answerTo(url, switchOn)).searchParams,
        })
        client = await host.connect()
      })

      test('the revision that the host offers is the one that is spoken', () => {
        expect(host.revision()).toBe(revision)
        expect(host.visited).toHaveLength(1)
      })

      test('N03 the list is filtered, an allowed call works, a hidden tool is unknown', async () => {
        const { tools } = await client.listTools()
        expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
        const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
        expect(JSON.stringify(result)).toContain('hello')
        await expect(client.callTool({ name: 'toggle-simulated-logging' })).rejects.toThrow(/Unknown tool/)
      })

      test('RS-21 the challenge names all scopes that the host must ask for, and the call works with them', async () => {
        await expect(client.callTool({ name: 'get-env' })).rejects.toMatchObject({ code: 403 })
        switchOn = ['everything:env']
        await host.startOver()
        const result = await host.withSignIn((wider) => wider.callTool({ name: 'get-env' }))
        expect(JSON.stringify(result)).toContain('PATH')
        expect(host.visited[1]?.searchParams.get('scope')?.split(' ').sort()).toEqual([
          'everything:env',
          'everything:read',
        ])
      })

      test('an aged access token is refreshed, and the session ends when the host leaves', async () => {
        const before = host.tokens()!
        host.setTokens({ ...before, access_token: 'aged' })
        await host.withSignIn((same) => same.listTools())
        expect(host.tokens()?.access_token).not.toBe('aged')
        const knock = host.knock()
        expect(await knock()).toBe(200)
        await host.leave()
        // Sessions of an HTTP server are its own, and so is the answer: the sample server says 400.
        expect(await knock()).toBe(kind === 'an HTTP server' ? 400 : 404)
      })
    })
  },
)
