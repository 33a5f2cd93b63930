import pg from 'pg'

/** Classes of errors whose message names no value: connection, rights, names, resources, shutdown, lock and time limits. */
const plainClasses = new Set(['08', '0A', '25', '28', '3D', '3F', '42', '53', '55', '57', '58'])

/** After these the connection is as good as before: a constraint, a lock that was not given, a statement that took too long. */
const harmless = /^(?:23...|55P03|57014)$/

/** An error of the database in words that hold neither a stored value nor a password. */
export function describeFailure(error: unknown): Error {
  if (!(error instanceof pg.DatabaseError)) {
    const { message, code } = error as { message?: string; code?: string }
    return Object.assign(new Error(`PostgreSQL: ${message || code || 'no answer'}`), { code })
  }
  const { code = '', constraint } = error
  const words = plainClasses.has(code.slice(0, 2)) ? `: ${error.message}` : ''
  return Object.assign(
    new Error(`PostgreSQL: error ${code}${constraint ? ` of ${constraint}` : ''}${words}`),
    {
      code,
    },
  )
}

/** Whether the connection can be used again once its transaction is rolled back. */
export function isHarmless(error: unknown): boolean {
  return error instanceof pg.DatabaseError && harmless.test(error.code ?? '')
}
