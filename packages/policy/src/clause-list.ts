import type { Condition } from './condition.ts'
import type { Pattern } from './pattern.ts'
import { makePatternIndex, type PatternIndex } from './pattern-index.ts'
import type { ClientIdentity } from './principal.ts'

/** One half of a row, `may` or `never`, as it counts for one server. */
export interface Clause {
  /** Position in `access`, from 1, for explanations. */
  readonly row: number
  readonly scopes: ReadonlySet<string>
  /** What the row says under `client`; what it means is the business of `coversClient`. */
  readonly client: string | undefined
  readonly coversClient: (client: ClientIdentity) => boolean
  /** Undefined: the row is not narrowed to tools. What it means is the business of `coversTool`. */
  readonly tools: readonly Pattern[] | undefined
  readonly coversTool: (name: string | undefined) => boolean
  readonly condition: Condition | undefined
}

/**
 * What a decision looks for among clauses. Without `scope`: whatever they give or deny. `anywhere`: whatever tools they are
 * narrowed to. With a tool: those that cover it. Without: those that are not narrowed to tools.
 */
export interface Wanted {
  readonly scope: string | undefined
  readonly tool: string | undefined | typeof anywhere
}

/** Stands for: whatever tools a clause is narrowed to. */
export const anywhere: unique symbol = Symbol('anywhere')

/** Whether the clause is what is looked for, and about this client. */
export function isWanted(clause: Clause, { scope, tool }: Wanted, client: ClientIdentity): boolean {
  if (!clause.coversClient(client)) return false
  return (scope === undefined || clause.scopes.has(scope)) && (tool === anywhere || clause.coversTool(tool))
}

/** Clauses in the order of the file. A short list is looked through; a long one is indexed by scope and by tool. */
export interface ClauseList {
  readonly all: readonly Clause[]
  add(clause: Clause): void
  /** Adds to `found` lists that hold every clause that is wanted; what is not may be in them too. */
  find(wanted: Wanted, found: (readonly Clause[])[]): void
}

/** Up to here looking through costs less than maps do, in time and in memory. */
export const few = 8

export function makeClauseList(): ClauseList {
  const all: Clause[] = []
  let tables: Tables | undefined
  return {
    all,
    add: (clause) => {
      all.push(clause)
      if (tables !== undefined) addTo(tables, clause)
      else if (all.length > few) {
        tables = makeTables()
        for (const one of all) addTo(tables, one)
      }
    },
    find: (wanted, found) => {
      if (tables === undefined) found.push(all)
      else if (wanted.tool !== anywhere) findCovering(tables, wanted.scope, wanted.tool, found)
      else if (wanted.scope === undefined) found.push(all)
      else push(tables.byScope.get(wanted.scope), found)
    },
  }
}

interface Tables {
  readonly byScope: Map<string, Clause[]>
  /** Those that are not narrowed to tools. */
  readonly everywhere: Clause[]
  readonly everywhereByScope: Map<string, Clause[]>
  readonly byTool: Map<string, Clause[]>
  readonly byPattern: PatternIndex<Clause>
}

const makeTables = (): Tables => ({
  byScope: new Map(),
  everywhere: [],
  everywhereByScope: new Map(),
  byTool: new Map(),
  byPattern: makePatternIndex(),
})

function addTo(tables: Tables, clause: Clause): void {
  for (const scope of clause.scopes) addUnder(tables.byScope, scope, clause)
  if (clause.tools === undefined) {
    tables.everywhere.push(clause)
    for (const scope of clause.scopes) addUnder(tables.everywhereByScope, scope, clause)
  } else {
    for (const tool of clause.tools) {
      if (tool.isExact) addUnder(tables.byTool, tool.text, clause)
      else tables.byPattern.add(tool, clause)
    }
  }
}

function findCovering(
  tables: Tables,
  scope: string | undefined,
  tool: string | undefined,
  found: (readonly Clause[])[],
): void {
  push(scope === undefined ? tables.everywhere : tables.everywhereByScope.get(scope), found)
  if (tool === undefined) return
  push(tables.byTool.get(tool), found)
  for (const clauses of tables.byPattern.near(tool)) found.push(clauses)
}

function addUnder(table: Map<string, Clause[]>, key: string, clause: Clause): void {
  const known = table.get(key)
  if (known === undefined) table.set(key, [clause])
  else known.push(clause)
}

function push(clauses: readonly Clause[] | undefined, found: (readonly Clause[])[]): void {
  if (clauses !== undefined) found.push(clauses)
}
