import type { ChangeNotes } from './change-notes.ts'
import type { AccessRow, Policy, Who } from './policy.ts'
import { impliedScopes } from './scopes.ts'

/** One cell of the matrix: a scope of a server that a row gives or denies. */
interface Cell {
  readonly row: AccessRow
  readonly server: string
  /** Undefined: the row lets in, without a scope. */
  readonly scope: string | undefined
}

/** Compares the cells of two matrices; a cell that another one of the same matrix covers does not count. */
export function compareAccess(before: Policy, after: Policy, notes: ChangeNotes): void {
  for (const kind of ['may', 'never'] as const) {
    const [old, now] = [cellsOf(before, kind), cellsOf(after, kind)]
    const [gained, lost] = [uncovered(now, old, before, kind), uncovered(old, now, after, kind)]
    for (const cell of gained) {
      const words = `${cell.server}: ${whoWords(cell.row)}`
      if (kind === 'may') notes.wider(`${words} may now ${cell.scope ?? 'come in'}${narrowWords(cell.row)}`)
      else notes.narrower(`${words} may never ${cell.scope}${narrowWords(cell.row)}`)
    }
    for (const cell of lost) {
      const words = `${cell.server}: ${whoWords(cell.row)}`
      if (kind === 'may')
        notes.narrower(`${words} may no longer ${cell.scope ?? 'come in'}${narrowWords(cell.row)}`)
      else notes.wider(`${words} is no longer denied ${cell.scope}${narrowWords(cell.row)}`)
    }
  }
}

function cellsOf(policy: Policy, kind: 'may' | 'never'): readonly Cell[] {
  return policy.access.flatMap((row) =>
    [...policy.servers.values()].flatMap((server): readonly Cell[] => {
      if (row.servers !== undefined && !row.servers.includes(server.name)) return []
      const scopes = row[kind].filter((scope) => server.scopes.has(scope))
      const cells = scopes.map((scope) => ({ row, server: server.name, scope }))
      const isBare = kind === 'may' && row.servers !== undefined && row.never.length === 0
      return cells.length === 0 && isBare ? [{ row, server: server.name, scope: undefined }] : cells
    }),
  )
}

/** Those of the cells that none of the others covers. */
function uncovered(
  cells: readonly Cell[],
  others: readonly Cell[],
  policy: Policy,
  kind: 'may' | 'never',
): readonly Cell[] {
  const found = new Map<string, Map<string | undefined, Cell>>()
  for (const other of others) {
    const key = keyOf(other.server, other.row)
    const scopes = found.get(key) ?? new Map<string | undefined, Cell>()
    found.set(key, scopes.set(other.scope, other))
  }
  const isCovered = (cell: Cell, row: RowKey): boolean => {
    const scopes = found.get(keyOf(cell.server, row))?.values() ?? []
    return [...scopes].some((other) => covers(other, cell, policy, kind))
  }
  return cells.filter(
    (cell) => !isCovered(cell, cell.row) && !broaderRows(cell.row).some((row) => isCovered(cell, row)),
  )
}

interface RowKey {
  readonly who: Who
  readonly client?: string | undefined
  readonly tools?: readonly string[] | undefined
  readonly when?: string | undefined
}

/** Under the same key stand cells that differ in nothing but the scope. */
const keyOf = (server: string, { who, client, tools, when }: RowKey): string =>
  JSON.stringify([server, who, client ?? null, tools ?? null, when ?? null])

/** What rows must look like to cover this one: each part is the same or says nothing. Rather too many than too few. */
function broaderRows({ who, client, tools, when }: AccessRow): readonly RowKey[] {
  const withoutIssuer: readonly Who[] =
    who.kind === 'user' && who.issuer !== undefined ? [{ kind: 'user', name: who.name }] : []
  const whos: readonly Who[] = [who, ...withoutIssuer, { kind: 'anyone' }]
  const clients = [...new Set([client, 'any', undefined])]
  const toolLists = [...new Set([tools, undefined])]
  const conditions = [...new Set([when, undefined])]
  return whos.flatMap((someone) =>
    clients.flatMap((some) =>
      toolLists.flatMap((names) =>
        conditions.map((condition) => ({ who: someone, client: some, tools: names, when: condition })),
      ),
    ),
  )
}

/** Whether one cell is about everybody and everything that the other is about; unsure means no. */
function covers(broad: Cell, cell: Cell, policy: Policy, kind: 'may' | 'never'): boolean {
  const [a, b] = [broad.row, cell.row]
  const isSameClient =
    a.client === b.client || a.client === 'any' || (kind === 'never' && a.client === undefined)
  const isSameWho = a.who.kind === 'anyone' || sameWho(a.who, b.who)
  const isSameTools = a.tools === undefined || JSON.stringify(a.tools) === JSON.stringify(b.tools)
  const isSameWhen = a.when === undefined || a.when === b.when
  return isSameClient && isSameWho && isSameTools && isSameWhen && coversScope(broad, cell, policy, kind)
}

function coversScope(broad: Cell, cell: Cell, policy: Policy, kind: 'may' | 'never'): boolean {
  if (broad.scope === cell.scope) return true
  // Any scope lets in; a broader one includes the other only where something is allowed.
  if (kind === 'never') return false
  if (cell.scope === undefined) return true
  const server = policy.servers.get(cell.server)
  return (
    server !== undefined && broad.scope !== undefined && impliedScopes(server, [broad.scope]).has(cell.scope)
  )
}

function sameWho(a: Who, b: Who): boolean {
  if (a.kind === 'anyone' || b.kind === 'anyone') return a.kind === b.kind
  if (a.kind !== b.kind || a.name !== b.name) return false
  return a.kind !== 'user' || b.kind !== 'user' || a.issuer === undefined || a.issuer === b.issuer
}

function whoWords({ who, client }: AccessRow): string {
  const issuer = who.kind === 'user' && who.issuer !== undefined ? ` of ${who.issuer}` : ''
  const name = who.kind === 'anyone' ? 'anyone' : `${who.kind} ${who.name}${issuer}`
  return client === undefined ? name : `${name} with client ${client}`
}

function narrowWords({ tools, when }: AccessRow): string {
  const only = tools === undefined ? '' : ` for ${tools.join(', ')}`
  return when === undefined ? only : `${only} when ${when}`
}
