import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { expect, onTestFinished, test } from 'vitest'
import {
  type Remote,
  sendJson,
  startRemote,
  startStatelessRemote,
} from '../../packages/bridge/test/connect/remote.ts'
import { connectCommand, startHost } from './hosted-bridge.ts'

// What a client of 2026-07-28 owes its server, seen by a server without sessions behind `warder connect`.

function makeHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'warder-wire-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  return home
}

const keep = (remote: Remote): Remote => {
  onTestFinished(remote.close)
  return remote
}

async function connect(remote: Remote, home: string, era: 'session' | 'stateless'): Promise<Client> {
  const { client } = await startHost(connectCommand(home, [remote.url]), era)
  onTestFinished(() => client.close())
  return client
}

const echo = { name: 'echo', arguments: { text: 'hello' } }
const complete = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
const results: Readonly<Record<string, object>> = {
  'server/discover': { ...complete, supportedVersions: ['2026-07-28'], capabilities: { tools: {} } },
  'tools/list': { ...complete, tools: [{ name: 'echo', inputSchema: { type: 'object' } }] },
  'tools/call': { ...complete, content: [{ type: 'text', text: 'hello' }] },
}

test('GW-03 GW-14 each message is a POST of its own, and after a broken stream comes a new request, not the rest of the old one', async () => {
  let calls = 0
  const remote = keep(
    await startRemote((_, response, body) => {
      const { id, method } = body as { readonly id: number; readonly method: string }
      if (method === 'tools/call' && ++calls === 1) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        // Whoever would fetch the rest could: there is an event with an id.
        response.write(
          'id: 1\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n',
          () => response.destroy(),
        )
      } else if (results[method] === undefined)
        sendJson(response, { jsonrpc: '2.0', id, error: { code: -32601, message: 'unknown' } }, 404)
      else sendJson(response, { jsonrpc: '2.0', id, result: results[method] })
    }),
  )
  const client = await connect(remote, makeHome(), 'stateless')
  await client.listTools()
  await expect(client.callTool(echo)).rejects.toThrow()
  expect(calls).toBe(1)
  expect(await client.callTool(echo)).toMatchObject({ content: [{ text: 'hello' }] })
  expect(new Set(remote.seen.map(({ method }) => method))).toEqual(new Set(['POST']))
  expect(remote.seen.filter(({ body }) => Array.isArray(body))).toEqual([])
  expect(remote.seen.filter(({ headers }) => headers['last-event-id'] !== undefined)).toEqual([])
  const ids = remote.seen.map(({ body }) => body.id)
  expect(ids).toEqual([...new Set(ids)])
})

test('GW-71 the result of a retry is nobody’s but its own: the same call asks again', async () => {
  const remote = keep(await startStatelessRemote())
  const client = await connect(remote, makeHome(), 'stateless')
  const names = ['Ann', 'Bob']
  client.setRequestHandler('elicitation/create', async () => ({
    action: 'accept',
    content: { name: names.shift() ?? '' },
  }))
  const ask = { name: 'ask-name', arguments: {} }
  expect(await client.callTool(ask)).toMatchObject({ content: [{ text: expect.stringContaining('Ann') }] })
  expect(await client.callTool(ask)).toMatchObject({ content: [{ text: expect.stringContaining('Bob') }] })
  const rounds = remote.seen.filter(({ body }) => body?.method === 'tools/call')
  expect(rounds.map(({ body }) => 'inputResponses' in body.params)).toEqual([false, true, false, true])
})

test('GW-83 the era of a server is asked for once, and remembered from one start to the next', async () => {
  const remote = keep(await startStatelessRemote())
  const home = makeHome()
  const start = async (): Promise<string[]> => {
    const before = remote.seen.length
    const client = await connect(remote, home, 'session')
    await client.callTool(echo)
    await client.close()
    return remote.methods().slice(before)
  }
  expect((await start()).slice(0, 2)).toEqual(['initialize', 'server/discover'])
  const again = await start()
  expect(again[0]).toBe('server/discover')
  expect(again).not.toContain('initialize')
  expect(again).toContain('tools/call')
})
