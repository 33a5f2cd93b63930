import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { everything, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { saveGrant } from './save-grant.ts'
import { call, refresh, signIn, type Tokens } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
const policy = `
version: 1
servers:
  everything:
    run: [${JSON.stringify(process.execPath)}, ${JSON.stringify(everything)}, stdio]
    scopes:
      everything:read: { title: Use the harmless tools, basic: true }
      everything:env: { title: Read the environment of the server, risk: high }
    tools:
      - { match: echo, scopes: [everything:read] }
      - { match: get-env, scopes: [everything:env] }
access:
  - { who: { user: owner }, client: any, may: [everything:read, everything:env] }
`

/** After this a change must be known everywhere: the promise of the product, not a guess at its speed. */
const oneSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_000))

describe('a scope that the user did not grant', () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-step-up-'))
  let warder: WarderProcess
  let clientId: string
  let tokens: Tokens

  const getEnv = (): Promise<Response> =>
    call(warder.endpoint, tokens.access_token, 'tools/call', { name: 'get-env', arguments: {} })

  const expectExplained = async (): Promise<void> => {
    const answer = await getEnv()
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).toContain('"isError":true')
    expect(text).toContain(`${warder.issuer}/account`)
    expect(text).not.toContain('PATH')
  }

  const expectInvalidToken = async (): Promise<void> => {
    const answer = await getEnv()
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"')
  }

  const expectOpen = async (): Promise<void> => {
    const answer = await getEnv()
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('PATH')])
  }

  const renew = async (): Promise<void> => {
    const answer = await refresh(warder.issuer, clientId, tokens.refresh_token)
    expect(answer.status).toBe(200)
    tokens = (await answer.json()) as Tokens
  }

  const signInFor = async (scope: string): Promise<void> => {
    const { issuer, endpoint: resource } = warder
    const signedIn = await signIn({ issuer, resource, ...owner, scope })
    clientId = signedIn.clientId
    tokens = signedIn.tokens
    await oneSecond()
  }

  const save = async (...scopes: string[]): Promise<void> => {
    await saveGrant(warder.issuer, owner, scopes)
    await oneSecond()
  }

  beforeAll(async () => {
    writeFileSync(join(directory, 'warder.yaml'), policy)
    warder = await startWarder({ directory, args: ['--port', '0'] })
    await claimOwner(directory, owner)
  })

  afterAll(async () => {
    await warder?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  test('was declined: no challenge, the model is told where to widen, again and again', async () => {
    await signInFor('everything:read everything:env')
    expect(tokens.scope).toBe('everything:read')
    for (let time = 0; time < 3; time += 1) await expectExplained()
  })

  test('was widened on the account page: one 401, and the refresh brings the wider token', async () => {
    await save('everything:env')
    await expectInvalidToken()
    // The same token gets the same answer, so calls that overlap agree.
    await expectInvalidToken()
    await renew()
    expect(tokens.scope).toBe('everything:read everything:env')
    await expectOpen()
  })

  test('was narrowed there: the wide token is dead within a second, the next one is narrow, and nobody is asked', async () => {
    await save()
    await expectInvalidToken()
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(401)
    await renew()
    expect(tokens.scope).toBe('everything:read')
    expect((await call(warder.endpoint, tokens.access_token, 'tools/list')).status).toBe(200)
    await expectExplained()
  })

  test('was never asked for: three challenges, then the explanation', async () => {
    await signInFor('everything:read')
    for (let time = 0; time < 3; time += 1) {
      const answer = await getEnv()
      expect(answer.status).toBe(403)
      expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
    }
    await expectExplained()
    await expectExplained()
    await save('everything:env')
    await expectInvalidToken()
    await renew()
    await expectOpen()
  })

  test('a decline outlives a restart of Warder', async () => {
    await signInFor('everything:read everything:env')
    const { port } = new URL(warder.issuer)
    await warder.stop()
    warder = await startWarder({ directory, args: ['--port', port] })
    await expectExplained()
  })
})
