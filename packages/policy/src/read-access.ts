import { isMap, isScalar } from 'yaml'
import type { AccessRow, ServerPolicy, Who } from './policy.ts'
import { clientClasses } from './principal.ts'
import type { Entry, NodeReader, Place } from './read-node.ts'
import { readPattern } from './read-pattern.ts'
import { readWhen } from './read-when.ts'

const keys = {
  known: ['who', 'client', 'may', 'never', 'tools', 'servers', 'when'],
  unsupported: {
    approve: 'approve is not supported yet; ignoring it would let calls pass without approval',
  },
}
const whoKeys = { known: ['user', 'issuer', 'group', 'service'] }

/** Reads the matrix. Scopes and servers that its rows name are checked against the servers of the file. */
export function readAccess(
  reader: NodeReader,
  place: Place,
  servers: ReadonlyMap<string, ServerPolicy>,
): readonly AccessRow[] {
  const scopes = new Set([...servers.values()].flatMap((server) => [...server.scopes.keys()]))
  return reader.items(place, 'access').flatMap((item) => {
    const row = readRow(reader, item, servers, scopes)
    return row === undefined ? [] : [row]
  })
}

function readRow(
  reader: NodeReader,
  place: Place,
  servers: ReadonlyMap<string, ServerPolicy>,
  scopes: ReadonlySet<string>,
): AccessRow | undefined {
  const fields = reader.fields(place, 'a row of access', keys)
  if (fields === undefined) return undefined
  const named = readNames(reader, fields.get('servers'), 'servers', (name) =>
    servers.has(name) ? undefined : `there is no server ${name}`,
  )
  const isInReach = (scope: string): boolean =>
    named === undefined
      ? scopes.has(scope)
      : named.some((name) => servers.get(name)?.scopes.has(scope) === true)
  const isKnown = (scope: string): string | undefined =>
    isInReach(scope)
      ? undefined
      : `no server ${named === undefined ? '' : 'of this row '}defines the scope ${scope}`
  const may = readScopeNames(reader, fields.get('may'), isKnown)
  const never = readScopeNames(reader, fields.get('never'), isKnown)
  if (may === undefined && never === undefined) reader.problem(place, 'a row of access needs may or never')
  const mayAt = fields.get('may')
  if (may?.length === 0 && named === undefined && mayAt !== undefined) {
    reader.problem(mayAt.value, 'an empty may gives access only to servers that the row names with servers')
  }
  const tools = readTools(reader, fields.get('tools'))
  const when = readWhen(reader, fields.get('when'))
  const client = readClient(reader, fields.get('client')?.value)
  const whoAt = fields.get('who')?.value
  if (whoAt === undefined) reader.problem(place, 'a row of access needs who')
  const who = whoAt && readWho(reader, whoAt)
  if (who === undefined) return undefined
  return {
    who,
    ...(client !== undefined && { client }),
    may: may ?? [],
    never: never ?? [],
    ...(tools !== undefined && { tools }),
    ...(named !== undefined && { servers: named }),
    ...(when !== undefined && { when }),
  }
}

function readWho(reader: NodeReader, place: Place): Who | undefined {
  const words = 'who must be anyone, or one of { user: … }, { group: … }, { service: … }'
  if (isScalar(place.node) && place.node.value === 'anyone') return { kind: 'anyone' }
  if (!isMap(place.node)) {
    reader.problem(place, words)
    return undefined
  }
  const fields = reader.fields(place, 'who', whoKeys) ?? new Map<string, Entry>()
  const kinds = (['user', 'group', 'service'] as const).filter((kind) => fields.has(kind))
  const kind = kinds[0]
  if (kind === undefined || kinds.length > 1) {
    reader.problem(place, words)
    return undefined
  }
  const nameAt = fields.get(kind)?.value
  const name = nameAt && reader.text(nameAt, kind)
  const issuerAt = fields.get('issuer')
  const issuer = issuerAt && reader.text(issuerAt.value, 'issuer')
  if (issuerAt !== undefined && kind !== 'user') reader.problem(issuerAt.key, 'issuer goes with user only')
  if (name === undefined) return undefined
  return kind === 'user' ? { kind, name, ...(issuer !== undefined && { issuer }) } : { kind, name }
}

function readScopeNames(
  reader: NodeReader,
  entry: Entry | undefined,
  check: (scope: string) => string | undefined,
): readonly string[] | undefined {
  if (entry === undefined) return undefined
  const scopes = reader.texts(entry.value, entry.name).map(([scope, at]) => {
    const why = check(scope)
    if (why !== undefined) reader.problem(at, why)
    return scope
  })
  return [...new Set(scopes)]
}

/** A list that narrows a row: an empty one would narrow it to nothing, which for `never` means no prohibition at all. */
function readNames(
  reader: NodeReader,
  entry: Entry | undefined,
  what: string,
  check: (name: string) => string | undefined,
): readonly string[] | undefined {
  const names = readScopeNames(reader, entry, check)
  if (entry !== undefined && names?.length === 0) reader.problem(entry.value, `${what} must not be empty`)
  return names
}

function readTools(reader: NodeReader, entry: Entry | undefined): readonly string[] | undefined {
  if (entry === undefined) return undefined
  const items = reader.items(entry.value, 'tools')
  if (items.length === 0) reader.problem(entry.value, 'tools must not be empty')
  return items.flatMap((item) => readPattern(reader, item, 'name') ?? [])
}

const plainLetters = (text: string): string => text.toLowerCase().replace(/[^a-z]/g, '')

function readClient(reader: NodeReader, place: Place | undefined): string | undefined {
  const client = place && reader.text(place, 'client')
  if (place === undefined || client === undefined) return undefined
  const words = ['any', ...clientClasses]
  if (words.includes(client)) return client
  const meant = words.find((word) => plainLetters(word) === plainLetters(client))
  if (meant !== undefined) reader.problem(place, `${client} is no client; write ${meant}`)
  // A star in the host part, or right behind it, would also match hosts of strangers.
  if (client.includes('*') && !/^https:\/\/[a-z0-9.-]+(?::[0-9]+)?\/[^\s\\@#?]*$/.test(client)) {
    reader.problem(place, 'a pattern of clients must begin with https://host/ and have its * behind that')
  }
  return client
}
