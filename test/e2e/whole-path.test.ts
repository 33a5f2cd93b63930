import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CallbackListener, listenForCallback } from './callback-listener.ts'
import { createMcpClient, type McpClient } from './mcp-client.ts'
import { browserPath, type Consent, createPerson, type Person } from './person.ts'
import { samplePolicy } from './sample-policy.ts'
import {
  everything,
  runInTerminal,
  startEverythingOverHttp,
  startWarder,
  type WarderProcess,
} from './warder-process.ts'

const textOf = (result: unknown): string => JSON.stringify(result)

/** After this the change must be known everywhere: the promise of the product, not a guess at its speed. */
const oneSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000))

describe.skipIf(browserPath === undefined)(
  'the whole path in a real browser (skipped only where no Chromium is installed)',
  () => {
    describe.each(['a stdio command', 'an HTTP server'] as const)('in front of %s', (kind) => {
      const directory = mkdtempSync(join(tmpdir(), 'warder-e2e-'))
      let upstream: { readonly url: string; stop(): Promise<void> } | undefined
      let warder: WarderProcess
      let person: Person
      let callback: CallbackListener
      let mcp: McpClient
      let client: Client
      let consent: Consent = { decision: 'allow' }

      beforeAll(async () => {
        upstream = kind === 'an HTTP server' ? await startEverythingOverHttp() : undefined
        const target =
          upstream === undefined
            ? `run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio]`
            : `url: ${upstream.url}`
        writeFileSync(join(directory, 'warder.yaml'), samplePolicy(target))
        warder = await startWarder({ directory, args: ['--port', '0'] })
        person = await createPerson({ email: 'owner@example.com', password: 'correct horse battery' })
        callback = await listenForCallback()
      })

      afterAll(async () => {
        await client?.close().catch(() => {})
        callback?.close()
        await person?.leave()
        expect(await warder?.stop()).toBe(0)
        await upstream?.stop()
        rmSync(directory, { recursive: true, force: true })
      })

      test('a stranger gets nothing', () => {
        expect(warder.proof.filter(({ outcome }) => outcome === 'failed')).toEqual([])
        expect(warder.proof.find(({ id }) => id === 'no-credentials')?.outcome).toBe('passed')
      })

      test('the owner link goes to a terminal and makes the owner', async () => {
        const said = await runInTerminal(directory, ['owner-link', '--data', join(directory, 'data')])
        const link = /http:\/\/\S+\/owner\/\S+/.exec(said)?.[0]
        expect(link, said).toBeDefined()
        await person.becomeOwner(link ?? '')
      })

      test('401 → discovery → registration → login → consent → token', async () => {
        mcp = createMcpClient({
          endpoint: warder.endpoint,
          callback,
          openBrowser: (url) => person.signIn(url, consent),
        })
        client = await mcp.connect()
        expect(mcp.visited).toHaveLength(1)
        expect(mcp.visited[0]?.searchParams.get('resource')).toBe(warder.endpoint)
        expect(mcp.tokens()?.scope).toBe('everything:read')
      })

      test('N03 the list is filtered: what no scope could open is absent', async () => {
        const { tools } = await client.listTools()
        expect(tools.map(({ name }) => name).sort()).toEqual(['echo', 'get-env', 'get-sum'])
      })

      test('an allowed call reaches the server', async () => {
        const result = await client.callTool({ name: 'echo', arguments: { message: 'hello' } })
        expect(textOf(result)).toContain('hello')
      })

      test('RS-21 a call that was not granted is 403, asks for more, and works after a wider consent', async () => {
        consent = { decision: 'allow', switchOn: ['everything:env'] }
        const result = await mcp.withStepUp((wider) => wider.callTool({ name: 'get-env', arguments: {} }))
        expect(textOf(result)).toContain('PATH')
        expect(mcp.visited).toHaveLength(2)
        expect(mcp.visited[1]?.searchParams.get('scope')?.split(' ').sort()).toEqual([
          'everything:env',
          'everything:read',
        ])
        expect(mcp.tokens()?.scope?.split(' ').sort()).toEqual(['everything:env', 'everything:read'])
      })

      test('an aged access token is refreshed without the person', async () => {
        const before = mcp.tokens()
        mcp.setTokens({ ...before!, access_token: 'aged' })
        const result = await client.callTool({ name: 'get-sum', arguments: { a: 2, b: 3 } })
        expect(textOf(result)).toContain('5')
        expect(mcp.tokens()?.refresh_token).not.toBe(before?.refresh_token)
        expect(mcp.visited).toHaveLength(2)
      })

      test('a listener on another port never receives a cookie', () => {
        expect(callback.seen.length).toBeGreaterThan(1)
        expect(callback.seen.filter((headers) => headers.cookie !== undefined)).toEqual([])
      })

      test('revocation ends the access token within a second', async () => {
        const tokens = mcp.tokens()!
        const call = (): Promise<Response> =>
          fetch(warder.endpoint, {
            method: 'POST',
            headers: {
              authorization: `Bearer ${tokens.access_token}`,
              'content-type': 'application/json',
              accept: 'application/json, text/event-stream',
            },
            body: JSON.stringify({
              jsonrpc: '2.0',
              id: 1,
              method: 'initialize',
              params: {
                protocolVersion: '2025-11-25',
                capabilities: {},
                clientInfo: { name: 'e2e', version: '1' },
              },
            }),
          })
        expect((await call()).status).toBe(200)
        const information = await mcp.provider.clientInformation()
        const revoked = await fetch(`${warder.issuer}/revoke`, {
          method: 'POST',
          body: new URLSearchParams({
            token: tokens.refresh_token ?? '',
            client_id: information?.client_id ?? '',
          }),
        })
        expect(revoked.status).toBe(200)
        await oneSecond()
        const refused = await call()
        expect(refused.status).toBe(401)
        expect(refused.headers.get('www-authenticate')).toContain('error="invalid_token"')
      })
    })
  },
)
