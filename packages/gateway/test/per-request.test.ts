import { expect, test } from 'vitest'
import { modern, modernHeaders, raw, rawRequest, send, startGateway } from './harness.ts'

test('RS-38 a list is the same on every connection, whatever went over it before', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const request = (message: Record<string, unknown>, last = false): string => {
    const body = JSON.stringify(message)
    const mirrored = Object.entries(modernHeaders(message)).map(([name, value]) => `${name}: ${value}`)
    return rawRequest(
      [
        'POST /notes/mcp HTTP/1.1',
        `Host: ${gw.host}`,
        `Authorization: Bearer ${token}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        ...mirrored,
        ...(last ? ['Connection: close'] : []),
      ],
      body,
    )
  }
  const list = modern('tools/list')
  const refused = modern('tools/call', { name: 'create_note', arguments: {} })
  const { text } = await raw(gw, request(list) + request(refused) + request(list, true))
  const answers = text.split('HTTP/1.1 ').slice(1)
  expect(answers.map((answer) => answer.slice(0, 3))).toEqual(['200', '403', '200'])
  const [first, , third] = answers.map(
    (answer) => JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)).result,
  )
  const alone = (await send(gw, { token, body: list })).json.result
  expect(alone.tools.map((tool: { name: string }) => tool.name)).toEqual(['search_notes', 'create_note'])
  expect([first, third]).toEqual([alone, alone])
})

test('RS-43 a call that is tried again with what the server asked for is decided like any other', async () => {
  const gw = await startGateway()
  const retry = modern('tools/call', {
    name: 'create_note',
    arguments: {},
    inputResponses: { ask: { action: 'accept', content: {} } },
    requestState: 'made by the server',
  })
  expect((await send(gw, { token: await gw.token(), body: retry })).status).toBe(403)
  expect((await send(gw, { body: retry })).status).toBe(401)
  expect(gw.upstream.hits).toHaveLength(0)
  const wide = await gw.token({ scope: 'notes:read notes:write' })
  expect((await send(gw, { token: wide, body: retry })).status).toBe(200)
  expect(gw.upstream.hits[0]?.body.toString()).toBe(JSON.stringify(retry))
})
