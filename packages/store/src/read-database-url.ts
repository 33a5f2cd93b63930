import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { readPasswordFile } from './read-password-file.ts'

/** A PostgreSQL database, and what is asked of it. */
export interface DatabaseOptions {
  /**
   * `postgres://user@host:5432/database`; a unix socket by `?host=/directory`. Of PostgreSQL's parameters `host`, `sslmode`
   * (`verify-full` or `disable`) and `sslrootcert` (a file) count; any other is refused.
   */
  readonly url: string
  /** Without it: the URL's, else `PGPASSWORD`, else the line in `PGPASSFILE` or `~/.pgpass`. */
  readonly password?: string
  /** Milliseconds within which each operation has happened or thrown; 6000 unless given. */
  readonly deadlineMs?: number
  /** Allows `sslmode=disable` to a host that is not this machine: who sits in between reads and changes everything. */
  readonly dangerouslyUnencrypted?: boolean
}

/** Where to connect, checked. */
export interface DatabaseTarget {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly password: string | undefined
  readonly ssl: ConnectionOptions | false
}

const known = new Set(['host', 'sslmode', 'sslrootcert'])

/** Reads the URL; throws a `TypeError` that never quotes it, since a password may stand in it. */
export function readDatabaseUrl(options: DatabaseOptions): DatabaseTarget {
  const url = parse(options.url)
  for (const name of url.searchParams.keys()) {
    if (!known.has(name) || url.searchParams.getAll(name).length > 1)
      throw new TypeError(`the database URL has a parameter that is not known, or twice: ${name}`)
  }
  const host = url.searchParams.get('host') ?? decode(url.hostname).replace(/^\[(.*)\]$/, '$1')
  const target = {
    host,
    port: Number(url.port || '5432'),
    user: decode(url.username),
    database: decode(url.pathname.slice(1)),
  }
  if (host === '' || target.user === '' || target.database === '')
    throw new TypeError('the database URL needs a user, a host and a database: postgres://user@host/database')
  return {
    ...target,
    password:
      options.password ??
      (decode(url.password) || process.env['PGPASSWORD'] || readPasswordFile(target) || undefined),
    ssl: decideTls(host, url.searchParams, options.dangerouslyUnencrypted === true),
  }
}

function parse(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['postgres:', 'postgresql:'].includes(url.protocol) || url.hash !== '')
    throw new TypeError('the database URL does not have the form postgres://user@host:5432/database')
  return url
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new TypeError('the database URL has a broken percent-encoding')
  }
}

/** Anything between "the right host, proven" and "nothing" only looks like protection, so there is nothing between. */
function decideTls(
  host: string,
  parameters: URLSearchParams,
  isDangerous: boolean,
): ConnectionOptions | false {
  const file = parameters.get('sslrootcert')
  const mode = parameters.get('sslmode') ?? (isThisMachine(host) && file === null ? 'disable' : 'verify-full')
  if (mode === 'verify-full') {
    return { rejectUnauthorized: true, ...(file !== null && { ca: readFileSync(file, 'utf8') }) }
  }
  if (mode !== 'disable') throw new TypeError('sslmode of the database URL: only verify-full or disable')
  if (file !== null) throw new TypeError('the database URL has sslrootcert and sslmode=disable')
  if (!isThisMachine(host) && !isDangerous) {
    throw new TypeError(
      `sslmode=disable to ${host}: who sits in between reads and changes everything (dangerouslyUnencrypted allows it)`,
    )
  }
  return false
}

function isThisMachine(host: string): boolean {
  return (
    host.startsWith('/') ||
    host === 'localhost' ||
    host === '::1' ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}
