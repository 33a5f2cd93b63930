import { createQueryId, type QueryCompiler, type RootOperationNode } from 'kysely'
import type { Slot, Statement } from './statement.ts'

/** A statement in the dialect of one database. */
export interface Compiled {
  readonly sql: string
  /** The values of one run, in the order of the parameters. Throws a `TypeError` for a string that cannot be stored. */
  fill(values: object): unknown[]
}

/** Compiles each statement once. */
export function makeCompile(compiler: QueryCompiler): (statement: Statement<unknown, unknown>) => Compiled {
  const known = new WeakMap<Statement<unknown, unknown>, Compiled>()

  const compile = (statement: Statement<unknown, unknown>): Compiled => {
    const node = statement.query.toOperationNode() as RootOperationNode
    const { sql, parameters } = compiler.compileQuery(node, createQueryId())
    const compiled: Compiled = {
      sql,
      fill: (values) => parameters.map((parameter) => checkStorable(fillSlot(parameter, values))),
    }
    known.set(statement, compiled)
    return compiled
  }

  return (statement) => known.get(statement) ?? compile(statement)
}

function fillSlot(parameter: unknown, values: object): unknown {
  const isSlot = typeof parameter === 'object' && parameter !== null && 'slot' in parameter
  return isSlot ? (values as Readonly<Record<string, unknown>>)[(parameter as Slot).slot] : parameter
}

/**
 * UTF-8 has no lone surrogates: two different keys would be stored as one, so such a string is refused. And PostgreSQL has no
 * NUL, so neither has the store.
 */
function checkStorable(value: unknown): unknown {
  if (typeof value === 'string' && (!value.isWellFormed() || value.includes('\0')))
    throw new TypeError('a string is not well-formed Unicode, or has a NUL')
  return value
}
