import { readPolicy } from '@warder/policy'
import { readChallenges } from '@warder/protocol'
import { expect, test } from 'vitest'
import {
  type GatewayUnderTest,
  legacy,
  type Message,
  modern,
  modernHeaders,
  policyText,
  send,
  startGateway,
  startUpstream,
} from './harness.ts'

const page = (from: number): Message[] =>
  [from, from + 1].map((number) => ({ name: number % 2 === 0 ? 'search_notes' : `hidden_${number}` }))

/** Pages of two tools, of which one is hidden; its cursors are plain numbers, and any number is one. */
async function startPaging(guard = {}): Promise<GatewayUnderTest> {
  const upstream = await startUpstream((hit, res) => {
    const { id, params } = JSON.parse(hit.body.toString())
    const from = Number(params.cursor ?? 0)
    const result = { tools: page(from), ...(from < 4 ? { nextCursor: String(from + 2) } : {}) }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  })
  return startGateway({ upstream, guard })
}

test.each([['2026-07-28', modern] as const, ['2025-11-25', legacy] as const])(
  'N01 all pages of a list hold what the caller may see, and cursors tell nothing (%s)',
  async (_, make) => {
    const gw = await startPaging()
    const token = await gw.token()
    const names: string[] = []
    let cursor: string | undefined
    do {
      const params = cursor === undefined ? {} : { cursor }
      const { json } = await send(gw, { token, body: make('tools/list', params) })
      for (const tool of json.result.tools) names.push(tool.name)
      cursor = json.result.nextCursor
      if (cursor !== undefined) expect(cursor).toMatch(/^[\w-]{38,}$/)
    } while (cursor !== undefined)
    expect(names).toEqual(['search_notes', 'search_notes', 'search_notes'])
    const asked = gw.upstream.hits.map((hit) => JSON.parse(hit.body.toString()).params.cursor)
    expect(asked).toEqual([undefined, '2', '4'])
  },
)

test('N01 a cursor is of use to nobody else, for no other list, and under no other policy', async () => {
  let policy = readPolicy(policyText)
  const gw = await startPaging({ policy: () => policy })
  const token = await gw.token()
  const first = await send(gw, { token, body: modern('tools/list') })
  const cursor: string = first.json.result.nextCursor
  const altered = `${cursor.slice(0, -3)}${cursor.at(-3) === 'A' ? 'B' : 'A'}${cursor.slice(-2)}`
  const foreign = [await gw.token({ sub: 'bob' }), await gw.token({ client_id: 'https://b.example/c.json' })]
  const tries: [string, Message][] = [
    ...foreign.map((other): [string, Message] => [other, modern('tools/list', { cursor })]),
    [token, modern('prompts/list', { cursor })],
    ...['2', '', altered, `${cursor}=`, ` ${cursor}`, 'A'.repeat(20_000), 2, null, [cursor], { cursor }].map(
      (forged): [string, Message] => [token, modern('tools/list', { cursor: forged })],
    ),
  ]
  for (const [bearer, body] of tries) {
    const answer = await send(gw, { token: bearer, body })
    expect(answer.json.error.code, JSON.stringify(body).slice(0, 200)).toBe(-32602)
  }
  expect(gw.upstream.hits).toHaveLength(1)
  const refreshed = await gw.token({ scope: 'notes:read notes:write' })
  expect((await send(gw, { token: refreshed, body: modern('tools/list', { cursor }) })).status).toBe(200)
  policy = readPolicy(`${policyText}# changed\n`)
  const stale = await send(gw, { token, body: modern('tools/list', { cursor }) })
  expect(stale.json.error.code).toBe(-32602)
  expect((await gw.decisions()).at(-1)).toMatchObject({ outcome: 'refused', reason: 'message.cursor' })
})

const complete = (ref: object): Message =>
  modern('completion/complete', { ref, argument: { name: 'x', value: '' } })

test('M25 GW-44 a completion for what is denied gives no candidates, and none names what is hidden', async () => {
  const gw = await startGateway()
  const candidates = { values: ['a', 'delete_everything', 'b'], total: 3, hasMore: false }
  gw.upstream.answer = (hit, res) => {
    const { id } = JSON.parse(hit.body.toString())
    const result = { completion: candidates, resultType: 'complete' }
    res.writeHead(200, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
  }
  const prompt = complete({ type: 'ref/prompt', name: 'summarize' })
  const resource = complete({ type: 'ref/resource', uri: 'notes:///{x}' })
  const token = await gw.token()
  for (const ref of [
    { type: 'ref/prompt', name: 'secret' },
    { type: 'ref/resource', uri: 'secret:///{x}' },
    { type: 'ref/other', name: 'summarize' },
  ]) {
    const answer = await send(gw, { token, body: complete(ref) })
    expect(answer.json.error.code).toBe(-32602)
  }
  const narrow = await gw.token({ scope: 'other' })
  for (const body of [prompt, resource]) expect((await send(gw, { token: narrow, body })).status).toBe(403)
  expect(gw.upstream.hits).toHaveLength(0)
  for (const body of [prompt, resource]) {
    const { json } = await send(gw, { token, body })
    expect(json.result.completion).toEqual({ values: ['a', 'b'] })
  }
})

test.each(['2025-11-25', '2025-06-18', '2025-03-26', undefined])(
  'O11-06 the challenge names what a client of %s has and what it needs, for one of 2026-07-28 only the need',
  async (version) => {
    const policy = readPolicy(policyText.replace('implies: [notes:read]', 'risk: high'))
    const gw = await startGateway({ guard: { policy: () => policy } })
    const token = await gw.token({ scope: 'notes:read other:scope' })
    const scopesOf = async (sent: Parameters<typeof send>[1]): Promise<string | undefined> => {
      const answer = await send(gw, { token, ...sent })
      expect(answer.status).toBe(403)
      return new Map(readChallenges(answer.headers['www-authenticate'] ?? '')[0]?.params).get('scope')
    }
    const create = { name: 'create_note' }
    const headers = { 'mcp-protocol-version': version }
    expect(await scopesOf({ body: legacy('tools/call', create), headers })).toBe('notes:read notes:write')
    const body = modern('tools/call', create)
    expect(await scopesOf({ body, headers: modernHeaders(body) })).toBe('notes:write')
  },
)
