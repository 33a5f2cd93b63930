import {
  type Client,
  type Grant,
  graceMs,
  isUsable,
  type Model,
  minute,
  type RefreshToken,
  second,
} from './model.ts'
import { covered } from './world.ts'

const clockSkewMs = 10 * second
const deadlyWrongVerifiers = 5

export type Defect = 'none' | 'verifier' | 'client' | 'redirect'

/** What must come of a code that is presented. */
export function expectRedemption(
  m: Model,
  grant: Grant,
  caller: Client,
  defect: Defect,
): 'unknown client' | 'refused' | 'wrong verifier' | 'replayed' | 'redeemed' {
  const { client, code, redeemed } = grant
  if (!isUsable(caller)) return 'unknown client'
  if (grant.codeSwept || caller !== client || defect === 'redirect') return 'refused'
  // Issued before the clock was set back by more than its skew.
  if (!redeemed && code.expiresAt - m.now > minute + clockSkewMs) return 'refused'
  if (defect === 'verifier') return redeemed ? 'refused' : 'wrong verifier'
  if (grant.revoked) return 'refused'
  if (redeemed) return 'replayed'
  return code.expiresAt <= m.now || grant.wrongVerifiers >= deadlyWrongVerifiers ? 'refused' : 'redeemed'
}

/** What must come of a refresh token that is presented. */
export function expectRotation(
  m: Model,
  {
    grant,
    member,
    caller,
    scope,
  }: { grant: Grant; member: RefreshToken; caller: Client; scope: string | undefined },
): 'unknown client' | 'refused' | 'stolen' | 'rotated' | 'retried' | 'replayed' {
  if (!isUsable(caller)) return 'unknown client'
  if (member.swept) return 'refused'
  if (caller !== grant.client) return 'stolen'
  if (scope !== undefined && !covered(grant.scopes).has(scope)) return 'refused'
  if (grant.revoked) return 'refused'
  if (member.usedAt === undefined) return member.expiresAt > m.now ? 'rotated' : 'refused'
  return Math.abs(m.now - member.usedAt) < graceMs && member.sealed ? 'retried' : 'replayed'
}
