import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { call, makeSigner, post, request } from './fixture.ts'

const signer = await makeSigner('ES256', 'example')
let issuerServer: Server
let example: Server
let url: string
let issuer: string

const listen = (server: Server): Promise<number> =>
  new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  )
const close = (server: Server): Promise<unknown> => new Promise((resolve) => server.close(resolve))

async function freePort(): Promise<number> {
  const probe = createServer()
  const port = await listen(probe)
  await close(probe)
  return port
}

beforeAll(async () => {
  issuerServer = createServer((_, response) => response.end(JSON.stringify({ keys: [signer.jwk] })))
  issuer = `http://127.0.0.1:${await listen(issuerServer)}`
  const port = await freePort()
  url = `http://127.0.0.1:${port}/mcp`
  Object.assign(process.env, { ISSUER: issuer, PORT: String(port) })
  const { server } = await import('../../../examples/protect-fetch-server/server.ts')
  example = server
})
afterAll(async () => {
  for (const server of [issuerServer, example]) {
    server.closeAllConnections()
    await close(server)
  }
})

function makeToken(scope: string): Promise<string> {
  return new SignJWT({ client_id: 'client-1', scope })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'example' })
    .setIssuer(issuer)
    .setAudience(url)
    .setSubject('user-1')
    .setJti(scope)
    .setIssuedAt()
    .setExpirationTime('10 minutes')
    .sign(signer.privateKey)
}

it('RS-01 RS-03 the example sends clients without a token to its metadata', async () => {
  const response = await fetch(post(request('tools/list'), { url }))
  expect(response.status).toBe(401)
  const metadataUrl =
    /resource_metadata="([^"]+)"/.exec(response.headers.get('www-authenticate') ?? '')?.[1] ?? ''
  const metadata = await (await fetch(metadataUrl)).json()
  expect(metadata).toMatchObject({
    resource: url,
    authorization_servers: [issuer],
    scopes_supported: ['notes:read'],
  })
})

it('RS-21 RS-39 the example lists, answers, asks for more, and hides', async () => {
  const token = await makeToken('notes:read')
  const send = (body: object) => fetch(post(body, { url, token }))
  const list = await (await send(request('tools/list'))).text()
  expect(list).toContain('search_notes')
  expect(list).toContain('delete_notes')
  expect(list).not.toContain('debug_dump')
  expect(await (await send(call('search_notes'))).text()).toContain('Two notes were found.')
  expect((await send(call('delete_notes'))).status).toBe(403)
  expect(await (await send(call('debug_dump'))).text()).toContain('Unknown tool: debug_dump')
  const wider = await fetch(post(call('delete_notes'), { url, token: await makeToken('notes:write') }))
  expect(await wider.text()).toContain('All notes are gone.')
})
