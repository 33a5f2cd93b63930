import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../conformance/free-port.ts'
import { startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { type Postgres, startPostgres } from '../postgres/start-postgres.ts'
import { type Balancer, startBalancer } from './balancer.ts'

/** One `warder protect` of several on one database. */
export interface Node {
  readonly directory: string
  readonly port: number
  /** Where it answers itself, apart from the address of all. */
  readonly ownUrl: string
  process(): WarderProcess
  start(): Promise<void>
  /** Replaces the policy file, as editors do. */
  writePolicy(text: string): void
}

export interface Nodes {
  readonly root: string
  readonly postgres: Postgres
  /** URL of their database, with its password. */
  readonly databaseUrl: string
  readonly balancer: Balancer
  readonly a: Node
  readonly b: Node
  /** Ends everything and removes it. */
  stop(): Promise<void>
}

/**
 * Two nodes on one PostgreSQL with one secret, behind one address: each with a directory of its own that holds its policy file.
 * `a` is given the whole URL by the environment, `b` gets one without its password. `which` of them are started.
 */
export async function startNodes(policy: string, which: readonly ('a' | 'b')[] = ['a', 'b']): Promise<Nodes> {
  const root = mkdtempSync(join(tmpdir(), 'warder-nodes-'))
  const secretFile = join(root, 'secret')
  writeFileSync(secretFile, randomBytes(32), { mode: 0o600 })
  const postgres = await startPostgres()
  const databaseUrl = await postgres.createDatabase()
  const ports = [await freePort(), await freePort()] as const
  const balancer = await startBalancer(ports)

  const makeNode = (
    name: string,
    port: number,
    database: readonly string[],
    env: Record<string, string>,
  ): Node => {
    const directory = join(root, name)
    const file = join(directory, 'warder.yaml')
    mkdirSync(directory)
    writeFileSync(file, policy)
    const args = [
      '--port',
      String(port),
      '--public-url',
      balancer.url,
      '--secret-file',
      secretFile,
      ...database,
    ]
    let running: WarderProcess | undefined
    return {
      directory,
      port,
      ownUrl: `http://127.0.0.1:${port}`,
      process() {
        if (running === undefined) throw new Error('the node was never started')
        return running
      },
      async start() {
        running = await startWarder({ directory, args, env })
      },
      writePolicy(text) {
        writeFileSync(`${file}.new`, text)
        renameSync(`${file}.new`, file)
      },
    }
  }
  const bare = new URL(databaseUrl)
  bare.password = ''
  const a = makeNode('a', ports[0], [], { WARDER_DATABASE: databaseUrl })
  const b = makeNode('b', ports[1], ['--database', bare.href], { PGPASSWORD: postgres.password })
  // At once: what both would make, the signing key and the tables, is made by one.
  const started = [...(which.includes('a') ? [a] : []), ...(which.includes('b') ? [b] : [])]
  await Promise.all(started.map((node) => node.start()))
  return {
    root,
    postgres,
    databaseUrl,
    balancer,
    a,
    b,
    async stop() {
      await Promise.all(started.map((node) => node.process().stop('SIGKILL')))
      await balancer.close()
      await postgres.stop()
      rmSync(root, { recursive: true, force: true })
    },
  }
}
