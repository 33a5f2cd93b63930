import { Socket } from 'node:net'
import pg from 'pg'
import { describeFailure, isHarmless } from './postgres-failure.ts'
import type { DatabaseTarget } from './read-database-url.ts'

/** All tables of ours stand in this schema. */
export const schemaName = 'warder'

export interface PostgresQuery {
  readonly text: string
  /** A statement with a name is parsed once a connection. */
  readonly name?: string
  readonly values?: unknown[]
}

/** Runs one query, or several without values in one message, and answers the last result. Throws described failures. */
export type RunQuery = (query: PostgresQuery) => Promise<pg.QueryResult<Record<string, unknown>>>

/** Connections to a primary, bounded in number; whatever is done with one has an end in time. */
export interface PostgresPool {
  /**
   * Lends one connection to work that must be done within `withinMs` (the deadline, unless given), waiting included. Work
   * that throws is rolled back. A connection that is not known to be whole is closed, never lent again.
   */
  use<Result>(work: (run: RunQuery) => Promise<Result>, withinMs?: number): Promise<Result>
  close(): Promise<void>
}

export function openPool(target: DatabaseTarget, limits: { max: number; deadlineMs: number }): PostgresPool {
  const { deadlineMs } = limits
  const half = Math.ceil(deadlineMs / 2)
  const sockets = new Set<Socket>()
  const pool = new pg.Pool({
    ...target,
    max: limits.max,
    application_name: 'warder',
    keepAlive: true,
    // To wait for a connection or to make one, then to ask what it leads to.
    connectionTimeoutMillis: half,
    query_timeout: half,
    idleTimeoutMillis: 60_000,
    // The server gives up too: what hangs there holds the lock of all nodes.
    lock_timeout: half,
    statement_timeout: deadlineMs,
    idle_in_transaction_session_timeout: deadlineMs,
    types: { getTypeParser },
    stream: () => {
      const socket = new Socket()
      sockets.add(socket)
      return socket.once('close', () => sockets.delete(socket))
    },
    onConnect: checkSession,
  })
  // Said by the query that met it, or by nobody: an idle connection that breaks is replaced.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  let isClosed = false

  return {
    async use(work, withinMs = deadlineMs) {
      const until = performance.now() + withinMs
      const client = await pool.connect().catch((error) => {
        throw describeFailure(error)
      })
      let isBroken = false
      const run: RunQuery = async (query) => {
        try {
          const timed = { ...query, query_timeout: Math.max(1, until - performance.now()) }
          const results: unknown = await client.query(timed)
          return (Array.isArray(results) ? results.at(-1) : results) as pg.QueryResult
        } catch (error) {
          isBroken ||= !isHarmless(error)
          throw describeFailure(error)
        }
      }
      try {
        return await work(run)
      } catch (error) {
        if (!isBroken) await run({ text: 'rollback' }).catch(() => {})
        throw error
      } finally {
        client.release(isBroken)
      }
    },
    async close() {
      if (isClosed) return
      isClosed = true
      // A goodbye that nobody answers must not keep the process.
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, half)
      await pool.end()
      clearTimeout(timer)
    },
  }
}

const int8 = 20
const parseInt8 = (text: string): number => Number(text)

const getTypeParser: typeof pg.types.getTypeParser = ((oid: number, format: 'text') =>
  oid === int8 ? parseInt8 : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser

/**
 * A standby lags behind: on one, a code that was redeemed a moment ago looks unused. So every connection is asked, whoever the
 * address leads to today. What was answered as done must be on the disk, and on that of a synchronous standby where there is
 * one, whatever the database or the role is set to.
 */
async function checkSession(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ standby: boolean; readonly: string; encoding: string }>(`
    select pg_is_in_recovery() as standby,
      current_setting('transaction_read_only') as readonly,
      current_setting('server_encoding') as encoding,
      set_config('search_path', '${schemaName}', false),
      set_config('synchronous_commit', case
        when current_setting('synchronous_commit') = 'remote_apply' then 'remote_apply'
        else 'on' end, false)`)
  const found = rows[0]
  if (found?.standby !== false) throw new Error('this server is a standby; only the primary will do')
  if (found.readonly !== 'off') throw new Error('this database or role is read-only')
  if (found.encoding !== 'UTF8') throw new Error(`the database has the encoding ${found.encoding}, not UTF8`)
}
