import fc from 'fast-check'
import { expect } from 'vitest'
import {
  callback,
  claimsOf,
  exchange,
  refresh,
  type Tokens,
} from '../../../packages/authorization-server/test/start.ts'
import { type Command, command, pick } from '../command.ts'
import { day, endGrant, type Grant, isUsable, type Model, type RefreshToken, second } from '../model.ts'
import { type Defect, expectRedemption, expectRotation } from '../token-rules.ts'
import type { World } from '../world.ts'

/** Presents a code, the right way or with one thing wrong, once or again. */
export function redeemCommand(at: number, defect: Defect): Command {
  return command(
    `redeem(grant ${at}${defect === 'none' ? '' : `, wrong ${defect}`})`,
    (m) => m.grants.length > 0 && (defect !== 'client' || m.clients.length > 1),
    async (m, { w }) => {
      const grant = pick(m.grants.toReversed(), at)
      if (grant === undefined) return []
      const { client, code } = grant
      const other = m.clients.find((each) => each !== client)
      const caller = defect === 'client' && other !== undefined ? other : client
      const answer = await exchange(w, caller.id, code.value, {
        redirect_uri: defect === 'redirect' ? `${callback}/other` : client.redirectUri,
        ...(defect === 'verifier' ? { code_verifier: 'w'.repeat(43) } : {}),
      })
      switch (expectRedemption(m, grant, caller, defect)) {
        case 'unknown client':
          return await refused(answer, 401)
        case 'refused':
          return await refused(answer)
        case 'wrong verifier':
          await refused(answer)
          grant.wrongVerifiers += 1
          return ['code.wrong-verifier']
        case 'replayed':
          await refused(answer)
          return ['code.replayed', ...endGrant(grant)]
        case 'redeemed':
          grant.redeemed = true
          addRefreshToken(m, grant, await accepted(m, grant, answer, grant.scopes))
          return ['code.redeemed']
      }
    },
  )
}

interface Refreshing {
  readonly at: number
  /** How far back in the family: 0 is the newest token. */
  readonly back: number
  readonly scope: string | undefined
  readonly byOther: boolean
}

/** Presents a refresh token: the newest, or one that was used before, which is a retry or a replay. */
function refreshCommand({ at: grantAt, back, scope, byOther }: Refreshing): Command {
  const says = [`grant ${grantAt}`, `${back} back`, scope, byOther ? 'by another client' : undefined]
  return command(
    `refresh(${says.filter((each) => each !== undefined).join(', ')})`,
    (m) => families(m).length > 0 && (!byOther || m.clients.length > 1),
    async (m, { w }) => {
      const grant = pick(families(m).toReversed(), grantAt)
      const member = grant?.chain.at(-1 - back) ?? grant?.chain[0]
      if (grant === undefined || member === undefined) return []
      const { client } = grant
      const caller = byOther ? (m.clients.find((each) => each !== client) ?? client) : client
      const answer = await refresh(w, caller.id, member.token, scope === undefined ? {} : { scope })
      const scopes = scope === undefined ? grant.scopes : [scope]
      const at = grant.chain.indexOf(member)
      switch (expectRotation(m, { grant, member, caller, scope })) {
        case 'unknown client':
          return await refused(answer, 401)
        case 'refused':
          return await refused(answer)
        case 'stolen':
          await refused(answer)
          return endGrant(grant)
        case 'rotated':
          use(m, grant, member)
          addRefreshToken(m, grant, await accepted(m, grant, answer, scopes))
          return ['token.rotated']
        case 'retried': {
          const tokens = await accepted(m, grant, answer, scopes)
          expect(tokens.refresh_token, 'the same successor').toBe(grant.chain[at + 1]?.token)
          return ['token.retried']
        }
        case 'replayed':
          await refused(answer)
          return ['token.replayed', ...endGrant(grant)]
      }
    },
  )
}

/** Who uses a token has got it: from now on its parent is no retry any more. */
function use(m: Model, grant: Grant, member: RefreshToken): void {
  const parent = grant.chain[grant.chain.indexOf(member) - 1]
  if (parent !== undefined) parent.sealed = false
  member.usedAt = m.now
  member.sealed = true
}

function families(m: Model): Grant[] {
  return m.grants.filter(({ chain }) => chain.length > 0)
}

async function refused(answer: Response, status = 400): Promise<string[]> {
  expect([answer.status, (await answer.text()).includes('_token')], 'a refusal').toEqual([status, false])
  return []
}

async function accepted(
  m: Model,
  grant: Grant,
  answer: Response,
  scopes: readonly string[],
): Promise<Tokens> {
  expect(answer.status, 'a success').toBe(200)
  const tokens = (await answer.json()) as Tokens
  const { iat, exp } = claimsOf(tokens.access_token)
  expect(tokens.scope).toBe(scopes.join(' '))
  m.tokens.push({
    token: tokens.access_token,
    grant,
    scopes,
    issuedAt: Number(iat),
    expiresAt: Number(exp),
    provedBy: undefined,
  })
  return tokens
}

function addRefreshToken(m: Model, grant: Grant, { refresh_token: token }: Tokens): void {
  const expiresAt = m.now + 30 * day
  grant.chain.push({ token, expiresAt, usedAt: undefined, sealed: false, swept: false })
}

/** Gives a token back, the newest of its grant: the client it belongs to ends the grant, another one changes nothing. */
function revokeCommand(at: number, kind: 'access' | 'refresh', byOther: boolean): Command {
  return command(
    `revoke(${kind} token of grant ${at}${byOther ? ', by another client' : ''})`,
    (m) => families(m).length > 0 && (!byOther || m.clients.length > 1),
    async (m, { w }: World) => {
      const grant = pick(families(m).toReversed(), at)
      const member = grant?.chain.at(-1)
      const access = m.tokens.findLast((each) => each.grant === grant)
      if (grant === undefined || member === undefined || access === undefined) return []
      const { client } = grant
      const caller = byOther ? (m.clients.find((each) => each !== client) ?? client) : client
      const token = kind === 'refresh' ? member.token : access.token
      const answer = await w.post('/revoke', { client_id: caller.id, token })
      if (!isUsable(caller)) return await refused(answer, 401)
      expect([answer.status, await answer.text()]).toEqual([200, ''])
      const isKnown = kind === 'refresh' ? !member.swept : access.expiresAt * second > m.now
      return isKnown && caller === client ? endGrant(grant) : []
    },
  )
}

const rarely: fc.Arbitrary<boolean> = fc.nat(9).map((number) => number === 9)

export const redeeming: fc.Arbitrary<Command> = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 1, 2, 3),
    fc.constantFrom<Defect[]>('none', 'none', 'none', 'none', 'none', 'verifier', 'client', 'redirect'),
  )
  .map(([at, defect]) => redeemCommand(at, defect))
export const refreshing: fc.Arbitrary<Command> = fc
  .record({
    at: fc.constantFrom(0, 0, 0, 0, 1, 2),
    back: fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 4),
    scope: fc.constantFrom(undefined, undefined, undefined, 'notes:read', 'notes:write', 'notes:admin'),
    byOther: rarely,
  })
  .map(refreshCommand)
export const giving: fc.Arbitrary<Command> = fc
  .tuple(fc.constantFrom(0, 0, 1, 2), fc.constantFrom('access' as const, 'refresh' as const), rarely)
  .map(([at, kind, byOther]) => revokeCommand(at, kind, byOther))
