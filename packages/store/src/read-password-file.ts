import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

interface Target {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

/**
 * The password for a database from the file that PostgreSQL's own programs use: `PGPASSFILE`, else `~/.pgpass`; lines of
 * `host:port:database:user:password`, `*` for any, `\` before `:` and `\`; the first that fits counts. `undefined` when there
 * is no file or no such line. Throws when others can read the file. Does nothing about `PGPASSWORD`.
 */
export function readPasswordFile({ host, port, database, user }: Target): string | undefined {
  const file = process.env['PGPASSFILE'] || join(homedir(), '.pgpass')
  const stats = statSync(file, { throwIfNoEntry: false })
  if (!stats?.isFile()) return undefined
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    throw new Error(`${file} is open to other users of this machine; run: chmod 600 ${file}`)
  }
  const wanted = [host.startsWith('/') ? 'localhost' : host, String(port), database, user]
  for (const line of readFileSync(file, 'utf8').split(/\r?\n/)) {
    if (line.startsWith('#')) continue
    const fields = [...line.matchAll(/((?:[^:\\]|\\.)*)(?::|$)/g)].map(([, field = '']) =>
      field.replace(/\\(.)/g, '$1'),
    )
    const password = fields[4]
    const fits = wanted.every((value, index) => fields[index] === '*' || fields[index] === value)
    if (password !== undefined && password !== '' && fits) return password
  }
  return undefined
}
