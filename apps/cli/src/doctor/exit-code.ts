import { clientExitCodes } from '../client/client-exit-codes.ts'
import type { Finding } from './finding.ts'

const exitCodes = { good: 0, bad: 1, ...clientExitCodes } as const

export const signInCheck = 'signed in'

export function exitCodeOf(findings: readonly Finding[]): number {
  const bad = findings.filter(({ outcome }) => outcome === 'bad')
  if (bad.some(({ check }) => check === 'connection')) return exitCodes.unreachable
  if (bad.some(({ check }) => check !== signInCheck)) return exitCodes.bad
  return bad.length > 0 ? exitCodes.signInRequired : exitCodes.good
}
