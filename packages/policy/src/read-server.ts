import { isMap, isScalar } from 'yaml'
import type { ScopeRule, ServerPolicy, TargetRule } from './policy.ts'
import type { Entry, NodeReader, Place } from './read-node.ts'
import { readPattern } from './read-pattern.ts'
import { readScopes } from './read-scopes.ts'

/** Paths of Warder itself: a server of that name would stand in their place. */
const reserved: ReadonlySet<string> = new Set([
  'account',
  'authorize',
  'healthz',
  'jwks',
  'owner',
  'readyz',
  'register',
  'revoke',
  'token',
])

/** Whether a server may have this name: 1 to 63 of a-z, 0-9 and hyphen, not beginning with a hyphen, not a path of Warder. */
export function isServerName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(name) && !reserved.has(name)
}

const keys = {
  known: ['run', 'url', 'env', 'scopes', 'tools', 'resources', 'prompts', 'list_locked'],
}
const targetKeys = {
  known: ['match', 'scopes', 'never'],
  unsupported: {
    approve: 'approve is not supported yet; ignoring it would let calls pass without approval',
    when: 'when belongs to a row of access; a line says which scopes are needed, the same for everybody',
  },
}

/**
 * Reads one server of the file. Scopes that its lines name are checked against its own; `definedBy` tells which server
 * defined a scope before, since a scope must mean one thing only.
 */
export function readServer(reader: NodeReader, entry: Entry, definedBy: Map<string, string>): ServerPolicy {
  const { name } = entry
  if (!isServerName(name)) {
    const rule = '1 to 63 of a-z, 0-9 and hyphen, not beginning with a hyphen, not a path of Warder itself'
    reader.problem(entry.key, `${name} cannot be the name of a server: ${rule}`)
  }
  const fields = reader.fields(entry.value, `server ${name}`, keys) ?? new Map<string, Entry>()
  const run = readCommand(reader, fields.get('run')?.value)
  const url = readUrl(reader, fields.get('url')?.value)
  if (isMap(entry.value.node) && fields.has('run') === fields.has('url')) {
    reader.problem(entry.key, `server ${name} needs either run or url, and not both`)
  }
  const scopes = readScopes(reader, fields.get('scopes')?.value, name, definedBy)
  const targets = (key: 'tools' | 'resources' | 'prompts'): readonly TargetRule[] => {
    const value = fields.get(key)?.value
    return value === undefined ? [] : readTargets(reader, value, key, scopes)
  }
  const locked = fields.get('list_locked')?.value
  return {
    name,
    ...(run !== undefined && { run }),
    ...(url !== undefined && { url }),
    env: readEnv(reader, fields.get('env'), fields.has('run')),
    scopes,
    tools: targets('tools'),
    resources: targets('resources'),
    prompts: targets('prompts'),
    listLocked: locked === undefined ? true : (reader.flag(locked, 'list_locked') ?? true),
  }
}

function readCommand(reader: NodeReader, place: Place | undefined): readonly string[] | undefined {
  if (place === undefined) return undefined
  const command = reader.items(place, 'run').map((item) => {
    const word: unknown = isScalar(item.node) ? item.node.value : undefined
    if (typeof word === 'string' && !word.includes('\0')) return word
    reader.problem(item, 'an item of run must be text; put numbers and the like in quotes')
    return ''
  })
  if (command[0] === undefined || command[0] === '') reader.problem(place, 'run needs at least the command')
  return command
}

function readUrl(reader: NodeReader, place: Place | undefined): string | undefined {
  const url = place && reader.text(place, 'url')
  if (place === undefined || url === undefined) return undefined
  if (!isPlainUrl(url)) {
    const form = 'without user information and fragment, its host in ASCII, and unusual characters as %XX'
    reader.problem(place, `url must be an http or https URL ${form}`)
  }
  return url
}

const plainUrl =
  /^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[1-9][0-9]{0,4})?(?:[/?](?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/

/** As the gateway takes it, for which a parser may repair nothing: `splitWebUri` of `@warder/protocol`, of which this imports nothing. */
function isPlainUrl(url: string): boolean {
  const host = plainUrl.exec(url)?.[1]
  return host !== undefined && URL.canParse(url) && new URL(url).hostname === host.toLowerCase()
}

function readEnv(reader: NodeReader, entry: Entry | undefined, hasRun: boolean): readonly string[] {
  if (entry === undefined) return []
  if (!hasRun) reader.problem(entry.key, 'env is for servers with run')
  return reader.texts(entry.value, 'env').map(([name, place]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      reader.problem(place, 'env lists names of variables, without values')
    }
    return name
  })
}

function readTargets(
  reader: NodeReader,
  place: Place,
  what: 'tools' | 'resources' | 'prompts',
  scopes: ReadonlyMap<string, ScopeRule>,
): readonly TargetRule[] {
  return reader.items(place, what).flatMap((item) => readTarget(reader, item, what, scopes) ?? [])
}

function readTarget(
  reader: NodeReader,
  place: Place,
  what: 'tools' | 'resources' | 'prompts',
  scopes: ReadonlyMap<string, ScopeRule>,
): TargetRule | undefined {
  const fields = reader.fields(place, `a line of ${what}`, targetKeys)
  if (fields === undefined) return undefined
  const matchAt = fields.get('match')?.value
  if (matchAt === undefined) reader.problem(place, `a line of ${what} needs match`)
  const match = matchAt && readPattern(reader, matchAt, what === 'resources' ? 'uri' : 'name')
  const neverAt = fields.get('never')?.value
  const never = neverAt !== undefined && reader.flag(neverAt, 'never') !== false
  const scopesAt = fields.get('scopes')?.value
  const needed = scopesAt === undefined ? [] : readNeeded(reader, scopesAt, scopes)
  const why = unfitTarget(never, scopesAt !== undefined, match === '*' && needed.length === 0, what)
  if (why !== undefined) reader.problem(scopesAt ?? place, why)
  return match === undefined ? undefined : { match, scopes: needed, never }
}

function unfitTarget(
  never: boolean,
  hasScopes: boolean,
  isOpenToAll: boolean,
  what: string,
): string | undefined {
  if (never) return hasScopes ? 'a line with never: true has no scopes' : undefined
  if (!hasScopes) return `a line of ${what} needs scopes (or never: true)`
  return isOpenToAll ? `match "*" without scopes would open all ${what} to everybody with a row` : undefined
}

function readNeeded(
  reader: NodeReader,
  place: Place,
  scopes: ReadonlyMap<string, ScopeRule>,
): readonly string[] {
  const needed = reader.texts(place, 'scopes').map(([scope, at]) => {
    if (!scopes.has(scope)) reader.problem(at, `scope ${scope} is not among the scopes of this server`)
    return scope
  })
  return [...new Set(needed)]
}
