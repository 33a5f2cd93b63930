import type { Compilable, OperationNodeSource, RawBuilder } from 'kysely'
import { sql } from 'kysely'

/** A query of any dialect: each engine compiles it with its own compiler. */
type Query<Row> = Compilable<Row> & OperationNodeSource

/** A query that is built once; its slots are filled at each run. */
export interface Statement<Values, Row> {
  readonly query: Query<Row>
  /** Never there: it carries the type. */
  readonly accepts?: Values
}

/** A place in a query for a value that comes later. */
export interface Slot {
  readonly slot: string
}

/** Names the values that a statement takes and puts a slot for each of them into the query. */
export type Values<Fields> = <Name extends keyof Fields & string>(name: Name) => RawBuilder<Fields[Name]>

/** Builds a query with named slots in place of its values. */
export function statement<Fields extends object, Row>(
  build: (slot: Values<Fields>) => Query<Row>,
): Statement<Fields, Row> {
  return { query: build((name) => sql`${{ slot: name } satisfies Slot}`) }
}

/** One statement to run now; the answer is its rows. */
export interface Step {
  readonly statement: Statement<unknown, unknown>
  readonly values: object
}

/**
 * One operation as the steps that it takes. A generator, so that the same lines run on SQLite without ever giving up the
 * thread inside a transaction (`await` does not compile here) and on a database behind a socket with each step awaited.
 */
export type Work<Result> = Generator<Step, Result, readonly unknown[]>

/** Runs work. */
export interface Engine {
  /**
   * In one transaction that holds the write lock from its first step; a throw undoes everything. When the answer to COMMIT is
   * lost, it throws, and the transaction may have happened or not.
   */
  atomically<Result>(work: Work<Result>): Promise<Result>
  /** Outside of a transaction, for work of a single step. */
  read<Result>(work: Work<Result>): Promise<Result>
  close(): Promise<void>
}

/** All rows of a statement. */
export function* all<Values extends object, Row>(
  statement: Statement<Values, Row>,
  values: NoInfer<Values>,
): Work<readonly Row[]> {
  return (yield { statement, values }) as readonly Row[]
}

/** The first row of a statement, if any. */
export function* first<Values extends object, Row>(
  statement: Statement<Values, Row>,
  values: NoInfer<Values>,
): Work<Row | undefined> {
  return (yield* all(statement, values))[0]
}
