import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readPolicy } from '@warder/policy'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { samplePolicy } from '../e2e/sample-policy.ts'
import { everything, runWarder } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from '../protect/claim-owner.ts'
import { call, refresh, signIn } from '../protect/scripted-sign-in.ts'
import { type Nodes, startNodes } from './start-nodes.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
const policy = samplePolicy(`run: ${JSON.stringify([process.execPath, everything, 'stdio'])}`)

describe('a database and who may work on it', () => {
  let nodes: Nodes
  let bare: string
  let database: string

  beforeAll(async () => {
    nodes = await startNodes(policy, ['a'])
    nodes.balancer.sendTo(nodes.a.port)
    const url = new URL(nodes.databaseUrl)
    database = url.pathname.slice(1)
    url.password = ''
    bare = url.href
    vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl)
    await claimOwner(nodes.a.directory, owner)
  })

  afterAll(async () => {
    vi.unstubAllEnvs()
    await nodes.stop()
  })

  const enter = (): ReturnType<typeof signIn> =>
    signIn({ issuer: nodes.balancer.url, resource: `${nodes.balancer.url}/everything/mcp`, ...owner })
  const list = async (token: string): Promise<number> =>
    (await call(`${nodes.balancer.url}/everything/mcp`, token, 'tools/list')).status
  const published = async (): Promise<number> =>
    (await nodes.postgres.query('select number from warder.policies', database)).length

  describe('another node', () => {
    let directory: string
    let number = 0
    const protect = (...args: string[]): ReturnType<typeof runWarder> =>
      runWarder(directory, ['protect', '--port', '0', '--data', join(directory, 'data'), ...args])
    const fitting = (): string[] => [
      '--public-url',
      nodes.balancer.url,
      '--secret-file',
      join(nodes.root, 'secret'),
    ]

    const makeDirectory = (text: string | undefined): void => {
      number += 1
      directory = join(nodes.root, `other-${number}`)
      mkdirSync(directory)
      if (text !== undefined) writeFileSync(join(directory, 'warder.yaml'), text)
    }

    test('with another secret does not start, and changes nothing', async () => {
      makeDirectory(`${policy}\n# another one`)
      const { code, err } = await protect('--public-url', nodes.balancer.url)
      expect([code, err]).toEqual([
        1,
        expect.stringContaining('does not open the signing keys in postgres://'),
      ])
      expect(err).toContain('name the copy by --secret-file FILE')
      expect(err).not.toMatch(/ {4}at |secret_/)
      expect(await published()).toBe(1)
    })

    test('under another address does not start once there are grants', async () => {
      await enter()
      makeDirectory(policy)
      const { code, err } = await protect(
        '--secret-file',
        join(nodes.root, 'secret'),
        '--public-url',
        'http://localhost:9',
      )
      expect([code, err]).toEqual([
        1,
        expect.stringContaining(`is for ${nodes.balancer.url}, and this node for http://localhost:9.`),
      ])
    })

    test('without a policy file, or with one that runs something else, does not start: what runs never comes from the database', async () => {
      makeDirectory(undefined)
      const without = await protect(...fitting(), '--', process.execPath, everything, 'stdio')
      expect([without.code, without.err]).toEqual([
        1,
        expect.stringContaining('Copy the policy file from there'),
      ])
      makeDirectory(policy.replace('"stdio"', '"stdio", "--old"'))
      // As if this file had been in force once.
      await nodes.postgres.query(
        `insert into warder.policies (number, digest, text, node, at) overriding system value values (0, '${readPolicy(readFileSync(join(directory, 'warder.yaml'), 'utf8'), 'warder.yaml').digest}', '', 'old', 0)`,
        database,
      )
      const older = await protect(...fitting())
      expect([older.code, older.err]).toEqual([1, expect.stringContaining('run of everything is another')])
    })

    test('with a wrong password, or to a database that is not there, says so without the password', async () => {
      makeDirectory(policy)
      vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl.replace(nodes.postgres.password, 'pass-canary'))
      const wrong = await protect(...fitting())
      vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl.replace(database, 'absent'))
      const absent = await protect(...fitting())
      vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl)
      expect([wrong.code, wrong.err]).toEqual([
        1,
        expect.stringContaining('does not accept this user with this password'),
      ])
      expect([absent.code, absent.err]).toEqual([1, expect.stringContaining('no database of this name')])
      expect(wrong.err + absent.err).not.toMatch(/pass-canary| {4}at /)
    })
  })

  test('commands find the state by --database, and say where to look when they are given a directory', async () => {
    vi.stubEnv('PGPASSWORD', nodes.postgres.password)
    vi.stubEnv('WARDER_DATABASE', '')
    const named = await runWarder(nodes.root, ['user', 'list', '--json', '--database', bare])
    const directory = await runWarder(nodes.root, ['user', 'list', '--data', join(nodes.a.directory, 'data')])
    vi.stubEnv('WARDER_DATABASE', nodes.databaseUrl)
    expect(JSON.parse(named.out)).toEqual([expect.objectContaining({ email: owner.email })])
    expect(directory).toMatchObject({
      code: 1,
      err: expect.stringContaining('belongs to a node of a database'),
    })
  })

  test('V11 after a restore, grant revoke --all ends what came back to life', async () => {
    const { clientId, tokens } = await enter()
    const copy = async (from: string, to: string): Promise<void> => {
      await nodes.postgres.query(`drop database if exists ${to}`)
      await nodes.postgres.query(`create database ${to} template ${from}`)
    }
    await nodes.a.process().stop()
    await copy(database, 'backup')
    await nodes.a.start()
    const grants = JSON.parse((await runWarder(nodes.root, ['grant', 'list', '--json'])).out) as {
      id: string
      client: string
    }[]
    const grant = grants.find(({ client }) => client === clientId)?.id ?? ''
    expect(await runWarder(nodes.root, ['grant', 'revoke', grant])).toMatchObject({ code: 0 })
    expect((await refresh(nodes.balancer.url, clientId, tokens.refresh_token)).status).toBe(400)
    await nodes.a.process().stop()
    await copy('backup', database)

    const unsure = await runWarder(nodes.root, ['grant', 'revoke', '--all'])
    expect([unsure.code, unsure.err]).toEqual([2, expect.stringContaining('--yes')])
    await nodes.a.start()
    // That is the danger, and the positive twin.
    expect(await list(tokens.access_token)).toBe(200)
    const ended = await runWarder(nodes.root, ['grant', 'revoke', '--all', '--yes', '--json'])
    expect(JSON.parse(ended.out).ended).toBeGreaterThan(1)
    await expect.poll(() => list(tokens.access_token), { timeout: 15_000 }).toBe(401)
    expect((await refresh(nodes.balancer.url, clientId, tokens.refresh_token)).status).toBe(400)
    expect(await list((await enter()).tokens.access_token)).toBe(200)
  })
})
