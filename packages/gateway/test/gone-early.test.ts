import { once } from 'node:events'
import { connect } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { eventually, rawRequest, searchCall, send, startGateway, startHalf } from './harness.ts'

test('N13 a client that leaves while its token is being checked leaves nothing behind', async () => {
  const pair = await generateKeyPair('ES256')
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'ES256' }
  let asked = 0
  let answer: () => void = () => undefined
  const answered = new Promise<void>((resolve) => {
    answer = resolve
  })
  const jwks = async (): Promise<{ keys: (typeof jwk)[] }> => {
    asked += 1
    await answered
    return { keys: [jwk] }
  }
  const gw = await startGateway({ guard: { keys: { jwks } }, limits: { perUser: 1 } })
  const now = Math.floor(Date.now() / 1000)
  const token = await new SignJWT({ sub: 'alice', client_id: 'c', scope: 'notes:read', jti: 't' })
    .setIssuer('https://issuer.example')
    .setAudience(gw.resource)
    .setIssuedAt(now)
    .setExpirationTime(now + 600)
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' })
    .sign(pair.privateKey)
  const body = JSON.stringify(searchCall)
  const socket = connect(gw.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    rawRequest(
      [
        'POST /notes/mcp HTTP/1.1',
        `Host: ${gw.host}`,
        `Authorization: Bearer ${token}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ],
      body,
    ),
  )
  await eventually(() => asked).toBe(1)
  socket.destroy()
  await eventually(() => gw.connections()).toBe(0)
  answer()
  expect((await send(gw, { token, body: searchCall })).status).toBe(200)
  expect(await gw.decisions()).toMatchObject([{ outcome: 'open' }])
  await gw.gateway.close()
})

test('a client that leaves before its body is whole is recorded as one that went away', async () => {
  const gw = await startGateway({ limits: { perUser: 1 } })
  const token = await gw.token()
  const socket = await startHalf(gw, token)
  socket.destroy()
  await eventually(() => gw.decisions()).toMatchObject([
    { outcome: 'refused', reason: 'http.body', because: 'the client went away' },
  ])
  await eventually(async () => (await send(gw, { token, body: searchCall })).status).toBe(200)
})
