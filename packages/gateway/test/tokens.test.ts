import { expect, test } from 'vitest'
import { raw, rawRequest, searchCall, send, startGateway, statuses } from './harness.ts'

test('G29 a token counts in the Authorization header only, and elsewhere it is refused and not recorded', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const path = `/notes/mcp?access_token=${token}`
  for (const sent of [
    { path, body: searchCall },
    { path, body: searchCall, token },
    { path: `/notes/mcp?a=b&%61ccess_token=${token}`, body: searchCall, token },
  ]) {
    expect((await send(gw, sent)).status).toBe(400)
  }
  const elsewhere = [
    { body: searchCall, headers: { cookie: `access_token=${token}` } },
    { body: { ...searchCall, access_token: token } },
    { body: `access_token=${token}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    { body: searchCall, headers: { 'proxy-authorization': `Bearer ${token}` } },
  ]
  for (const sent of elsewhere) expect((await send(gw, sent)).status).toBe(401)
  expect(gw.upstream.hits).toHaveLength(0)
  expect(JSON.stringify(await gw.records())).not.toContain(token.slice(-40))
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
})

test('G30 there is one way to write the header; only the case of the scheme is free', async () => {
  const gw = await startGateway()
  const token = await gw.token()
  const wrong = [
    `Bearer ${token}, Bearer ${token}`,
    `Bearer\t${token}`,
    `Bearer  ${token}`,
    `Bearer${token}`,
    `Basic ${token}`,
    token,
    'Bearer',
    'Bearer %',
    'Bearer \u00e9',
  ]
  for (const authorization of wrong) {
    const answer = await send(gw, { body: searchCall, headers: { authorization } })
    expect([400, 401], authorization.slice(0, 20)).toContain(answer.status)
  }
  const body = JSON.stringify(searchCall)
  const twice = await raw(
    gw,
    rawRequest(
      [
        'POST /notes/mcp HTTP/1.1',
        `Host: ${gw.host}`,
        `Authorization: Bearer ${token}`,
        'Authorization: Bearer x',
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
        'Connection: close',
      ],
      body,
    ),
  )
  expect(statuses(twice.text)).toEqual([400])
  expect(gw.upstream.hits).toHaveLength(0)
  for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
    const headers = { authorization: `${scheme} ${token}` }
    expect((await send(gw, { body: searchCall, headers })).status).toBe(200)
  }
})

test('RS-14 a token for another server, of another issuer or of another type is not accepted', async () => {
  const gw = await startGateway()
  for (const claims of [
    { aud: 'http://127.0.0.1:1/other/mcp' },
    { aud: `http://${gw.host}` },
    { iss: 'https://other.example' },
    { typ: 'warder-assertion+jwt' },
    { exp: 1000 },
  ]) {
    const answer = await send(gw, { token: await gw.token(claims), body: searchCall })
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  }
  expect(gw.upstream.hits).toHaveLength(0)
  expect((await send(gw, { token: await gw.token(), body: searchCall })).status).toBe(200)
})

test('RS-21 RS-33 a missing scope is a challenge that names it; the call is recorded as locked', async () => {
  const gw = await startGateway()
  const body = { ...searchCall, params: { ...(searchCall['params'] as object), name: 'create_note' } }
  const answer = await send(gw, { token: await gw.token(), body })
  expect(answer.status).toBe(403)
  expect(answer.headers['www-authenticate']).toMatch(
    /error="insufficient_scope".*scope="notes:write"|scope="notes:write".*error="insufficient_scope"/,
  )
  expect(gw.upstream.hits).toHaveLength(0)
  expect(await gw.decisions()).toMatchObject([
    {
      outcome: 'locked',
      reason: 'scope.insufficient',
      target: 'create_note',
      subject: 'alice',
      tokenId: expect.any(String),
      policy: expect.any(String),
    },
  ])
  const wide = await gw.token({ scope: 'notes:read notes:write' })
  expect((await send(gw, { token: wide, body })).status).toBe(200)
})

test('RS-04 the metadata stands at the path of the resource, and at the root with exactly one server', async () => {
  const one = await startGateway()
  const at = (path: string, gw = one): ReturnType<typeof send> => send(gw, { method: 'GET', path })
  const inserted = '/.well-known/oauth-protected-resource/notes/mcp'
  const answer = await at(inserted)
  expect(answer).toMatchObject({ status: 200, json: { resource: one.resource } })
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect((await at('/.well-known/oauth-protected-resource')).json.resource).toBe(one.resource)
  expect((await at('/.well-known/oauth-protected-resource/notes')).status).toBe(404)
  expect((await at(`${inserted}/`)).status).toBe(404)
  expect((await send(one, { method: 'POST', path: inserted, body: '{}' })).status).toBe(405)
  const two = await startGateway({ routes: ['/notes/mcp', '/other/mcp'] })
  expect((await at('/.well-known/oauth-protected-resource', two)).status).toBe(404)
  expect((await at('/.well-known/oauth-protected-resource/other/mcp', two)).json.resource).toBe(
    `http://${two.host}/other/mcp`,
  )
})
