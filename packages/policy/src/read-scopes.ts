import type { ScopeRule } from './policy.ts'
import type { Entry, NodeReader, Place } from './read-node.ts'

const keys = { known: ['title', 'description', 'basic', 'implies', 'risk'] }

/** Scopes that other specifications give a meaning of their own. */
const reserved: ReadonlySet<string> = new Set(['openid', 'offline_access'])

/** Reads the scopes of one server, and checks what they imply. */
export function readScopes(
  reader: NodeReader,
  place: Place | undefined,
  server: string,
  definedBy: Map<string, string>,
): ReadonlyMap<string, ScopeRule> {
  const scopes = new Map<string, ScopeRule>()
  if (place === undefined) return scopes
  const entries = reader.entries(place, 'scopes')
  for (const entry of entries) {
    scopes.set(entry.name, readScopeRule(reader, entry))
    const other = definedBy.get(entry.name)
    if (other === undefined) definedBy.set(entry.name, server)
    else reader.problem(entry.key, `scope ${entry.name} is defined by server ${other} already`)
  }
  for (const entry of entries) checkImplied(reader, entry, scopes)
  return scopes
}

function readScopeRule(reader: NodeReader, entry: Entry): ScopeRule {
  const { name } = entry
  // RFC 6749 section 3.3, and no star: a scope is never a pattern (RS-32).
  if (!/^[\x21\x23-\x29\x2b-\x5b\x5d-\x7e]{1,200}$/.test(name)) {
    reader.problem(entry.key, `${name} cannot be a scope: 1 to 200 visible ASCII characters without " \\ *`)
  }
  if (reserved.has(name)) reader.problem(entry.key, `${name} cannot be a scope: it has a meaning of its own`)
  const fields = reader.fields(entry.value, `scope ${name}`, keys)
  const titleAt = fields?.get('title')?.value
  if (fields !== undefined && titleAt === undefined)
    reader.problem(entry.key, `scope ${name} needs a title for the consent page`)
  const descriptionAt = fields?.get('description')?.value
  const description = descriptionAt && reader.text(descriptionAt, 'description')
  const basicAt = fields?.get('basic')?.value
  const impliesAt = fields?.get('implies')?.value
  return {
    name,
    title: (titleAt && reader.text(titleAt, 'title')) ?? name,
    ...(description !== undefined && { description }),
    basic: basicAt === undefined ? false : (reader.flag(basicAt, 'basic') ?? false),
    implies: impliesAt === undefined ? [] : reader.texts(impliesAt, 'implies').map(([scope]) => scope),
    risk: readRisk(reader, fields?.get('risk')?.value),
  }
}

function readRisk(reader: NodeReader, place: Place | undefined): 'normal' | 'high' {
  if (place === undefined) return 'normal'
  const risk = reader.text(place, 'risk')
  if (risk !== undefined && risk !== 'normal' && risk !== 'high') {
    reader.problem(place, 'risk must be normal or high')
  }
  return risk === 'high' ? 'high' : 'normal'
}

/** What a scope implies must exist, must not lead back to it, and must not be graver than it looks on the consent page. */
function checkImplied(reader: NodeReader, entry: Entry, scopes: ReadonlyMap<string, ScopeRule>): void {
  const scope = scopes.get(entry.name)
  if (scope === undefined) return
  if (scope.basic && scope.risk === 'high') {
    reader.problem(
      entry.key,
      `scope ${scope.name} cannot be basic and of high risk: basic is never asked for`,
    )
  }
  const seen = new Set<string>()
  const open = [...scope.implies]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue
    seen.add(name)
    const implied = scopes.get(name)
    if (implied === undefined) {
      if (scope.implies.includes(name)) {
        reader.problem(entry.key, `scope ${scope.name} implies ${name}, which this server does not define`)
      }
      continue
    }
    if (name === scope.name) reader.problem(entry.key, `scope ${name} implies itself in a circle`)
    if (scope.basic && !implied.basic) {
      reader.problem(entry.key, `scope ${scope.name} is basic but implies ${name}, which is not`)
    }
    if (scope.risk === 'normal' && implied.risk === 'high') {
      reader.problem(entry.key, `scope ${scope.name} needs risk: high, because it implies ${name}`)
    }
    open.push(...implied.implies)
  }
}
