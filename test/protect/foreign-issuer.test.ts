import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, runWarder, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { call } from './scripted-sign-in.ts'

describe('warder protect --issuer: another authorization server issues the tokens', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-issuer-'))
  const sample = ['--name', 'everything', '--', process.execPath, everything, 'stdio']
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let server: Server
  let issuer: string
  let warder: WarderProcess

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
    server = createServer((req, res) => {
      res.setHeader('content-type', 'application/json')
      if (req.url === '/.well-known/openid-configuration') {
        res.end(
          JSON.stringify({ issuer, jwks_uri: `${issuer}/keys`, code_challenge_methods_supported: ['S256'] }),
        )
      } else if (req.url === '/keys') res.end(JSON.stringify({ keys: [jwk] }))
      else res.writeHead(404).end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    warder = await startWarder({
      directory,
      args: ['--port', '0', '--issuer', issuer, '--owner', 'alice', ...sample],
    })
  })
  afterAll(async () => {
    await warder.stop()
    server.close()
    rmSync(directory, { recursive: true, force: true })
  })

  const token = (claims: Record<string, unknown>, subject = 'alice'): Promise<string> =>
    new SignJWT({ client_id: 'some-client', scope: 'everything:read', jti: crypto.randomUUID(), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'one' })
      .setIssuer(issuer)
      .setSubject(subject)
      .setAudience(String(claims['aud'] ?? warder.endpoint))
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(keys.privateKey)

  test('RS-02 the metadata names that issuer, and ours stays off', async () => {
    const url = new URL(warder.endpoint)
    const metadata = await (
      await fetch(`${url.origin}/.well-known/oauth-protected-resource${url.pathname}`)
    ).json()
    expect(metadata).toMatchObject({ resource: warder.endpoint, authorization_servers: [issuer] })
    expect((await fetch(`${url.origin}/.well-known/oauth-authorization-server`)).status).toBe(404)
    expect((await fetch(`${url.origin}/authorize`)).status).toBe(404)
  })

  test('its token opens what the policy gives its subject', async () => {
    const answer = await call(warder.endpoint, await token({}), 'tools/call', {
      name: 'echo',
      arguments: { message: 'hello' },
    })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('hello')
  })

  test('G12 a token of the same issuer for another server is refused', async () => {
    const answer = await call(
      warder.endpoint,
      await token({ aud: 'https://other.example/mcp' }),
      'tools/list',
    )
    expect(answer.status).toBe(401)
  })

  test('a user whom no row names gets nothing', async () => {
    const answer = await call(warder.endpoint, await token({}, 'mallory'), 'tools/call', {
      name: 'echo',
      arguments: { message: 'hello' },
    })
    expect(await answer.text()).not.toContain('hello')
  })

  test('H13 metadata about another issuer is not used', async () => {
    const { code, err } = await runWarder(directory, [
      'protect',
      '--port',
      '0',
      '--data',
      join(directory, 'other'),
      '--policy',
      'other.yaml',
      '--issuer',
      `${issuer}/`,
      ...sample,
    ])
    expect([code, err]).toEqual([1, expect.stringContaining('cannot be used')])
  })
})
