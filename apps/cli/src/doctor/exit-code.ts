import type { Finding } from './finding.ts'

/** As the MCP Inspector's, so that scripts need no other table. */
export const exitCodes = { good: 0, bad: 1, signInRequired: 3, unreachable: 4 } as const

export const signInCheck = 'signed in'

export function exitCodeOf(findings: readonly Finding[]): number {
  const bad = findings.filter(({ outcome }) => outcome === 'bad')
  if (bad.some(({ check }) => check === 'connection')) return exitCodes.unreachable
  if (bad.some(({ check }) => check !== signInCheck)) return exitCodes.bad
  return bad.length > 0 ? exitCodes.signInRequired : exitCodes.good
}
