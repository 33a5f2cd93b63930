import { openStore, type Store } from '@warder/store'
import type { Input, Option } from './command.ts'
import { Problem } from './problem.ts'

/** The option of every command that works on the state. */
export const databaseOption: Option = {
  value: 'URL',
  says: 'PostgreSQL database of all nodes, without its password (default: $WARDER_DATABASE)',
}

/** A PostgreSQL database that several nodes share. */
export interface DatabaseAddress {
  /** May hold a password when it comes from the environment. */
  readonly url: string
  /** The same for people: no password, no parameters. */
  readonly shown: string
}

/**
 * The database that `--database` or else `WARDER_DATABASE` names, or undefined: then the state is a file. A password may stand
 * in the variable but not in the argument, which every user of the machine can read.
 */
export function readDatabase({ options }: Pick<Input, 'options'>): DatabaseAddress | undefined {
  const given = options['database']
  const url = given ?? process.env['WARDER_DATABASE']
  if (url === undefined || url === '') return undefined
  const source = given === undefined ? 'WARDER_DATABASE' : '--database'
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  // The text is not repeated: it may hold a password.
  if (parsed === undefined || !['postgres:', 'postgresql:'].includes(parsed.protocol))
    throw new Problem(`${source} takes an address such as postgres://warder@db.example.com:5432/warder.`, 2)
  const { username, host, pathname } = parsed
  if (given !== undefined && (parsed.password !== '' || parsed.searchParams.has('password'))) {
    throw new Problem(
      '--database must not contain a password: others on this machine can read arguments. Put it into PGPASSWORD, ~/.pgpass or the file that PGPASSFILE names, or the whole address into WARDER_DATABASE.',
      2,
    )
  }
  return { url, shown: `postgres://${username}@${host}${pathname}` }
}

/** Opens the database and brings its tables up to date; one that cannot be used is one clear line. */
export async function openDatabase({ url, shown }: DatabaseAddress): Promise<Store> {
  try {
    return await openStore({ url })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    throw new Problem(`the database ${shown} cannot be used: ${remedies[code] ?? message}`)
  }
}

const passwords = 'The password comes from PGPASSWORD, from the file in PGPASSFILE, or from ~/.pgpass.'

/** What to do about the usual troubles of a first connection, by the code of Node or PostgreSQL. */
const remedies: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there. Is it started, and is the address right?',
  ENOENT: 'there is no such socket. Is it started, and is the address right?',
  ENOTFOUND: 'there is no such host.',
  '3D000': 'there is no database of this name. Make one: createdb --owner USER NAME',
  '28P01': `it does not accept this user with this password. ${passwords}`,
  '28000': 'it does not let this user in from here (pg_hba.conf).',
  '42501': 'this user may not make tables there. Let it own the database.',
}
