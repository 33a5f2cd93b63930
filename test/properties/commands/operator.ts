import fc from 'fast-check'
import { expect } from 'vitest'
import { type Command, command, pick } from '../command.ts'
import { endGrant, endGrants, forgetYes, type Model, saidBy, type User } from '../model.ts'
import { hashPassword } from '../world.ts'

/** What the commands of the operator do: the same store operations as `warder user`, `warder client` and `warder grant`. */
function disableCommand(at: number, disabled: boolean): Command {
  return command(
    `${disabled ? 'disable' : 'enable'}(user ${at})`,
    (m) => pick(m.users, at)?.disabled !== disabled,
    async (m, { w }) => {
      const user = pick(m.users, at)
      if (user === undefined) return []
      expect(await w.store.users.setDisabled(user.id, disabled, m.now)).toBe(true)
      user.disabled = disabled
      if (!disabled) return ['user.enabled']
      return ['user.disabled', ...endEverythingOf(m, user)]
    },
  )
}

function resetPasswordCommand(at: number): Command {
  return command(
    `reset password(user ${at})`,
    () => true,
    async (m, { w }) => {
      const user = pick(m.users, at)
      if (user === undefined) return []
      expect(await w.store.users.setPassword(user.id, await hashPassword(), m.now)).toBe(true)
      return ['user.password-set', ...endEverythingOf(m, user)]
    },
  )
}

function endEverythingOf(m: Model, user: User): string[] {
  for (const tab of m.browsers) if (tab.session?.user === user) tab.session = undefined
  for (const visit of m.visits) if (visit.user === user) visit.ended = true
  for (const client of m.clients) forgetYes(saidBy(m, user, client))
  return endGrants(m, (grant) => grant.user === user)
}

function revokeClientCommand(at: number): Command {
  return command(
    `revoke client(${at})`,
    (m) => m.clients.length > 0,
    async (m, { w }) => {
      const client = pick(m.clients, at)
      if (client === undefined) return []
      const isRegistered = client.kind === 'registered' && !client.swept
      const events = isRegistered && !client.disabled ? ['client.disabled'] : []
      const ended = endGrants(m, (grant) => grant.client === client)
      expect(await w.store.clients.revoke(client.id, m.now)).toEqual({
        isDisabled: isRegistered,
        endedGrants: ended.length,
      })
      if (isRegistered) client.disabled = true
      for (const visit of m.visits) if (visit.client === client) visit.ended = true
      for (const user of m.users) forgetYes(saidBy(m, user, client))
      return [...events, ...ended]
    },
  )
}

function revokeGrantCommand(at: number): Command {
  return command(
    `operator revokes(grant ${at})`,
    (m) => m.grants.length > 0,
    async (m, { w }) => {
      const grant = pick(m.grants.toReversed(), at)
      if (grant === undefined) return []
      const { id, user } = grant
      const ended = await w.store.grants.revokeAndForget({
        id,
        userId: user.id,
        because: 'operator',
        now: m.now,
      })
      // While its user is disabled, or after it was swept away, nothing of it is left to end.
      expect(ended).toBe(!grant.revoked && !grant.swept)
      if (ended) forgetYes(saidBy(m, user, grant.client))
      return endGrant(grant)
    },
  )
}

function revokeAllCommand(): Command {
  return command(
    'operator revokes everything',
    (m) => m.grants.length > 0,
    async (m, { w }) => {
      await w.store.grants.revokeAll({ because: 'operator', now: m.now })
      for (const tab of m.browsers) tab.session = undefined
      for (const visit of m.visits) visit.ended = true
      for (const user of m.users) for (const client of m.clients) forgetYes(saidBy(m, user, client))
      return ['grants.all-revoked', ...endGrants(m, () => true)]
    },
  )
}

const userAt = fc.constantFrom(0, 0, 1)

export const disabling: fc.Arbitrary<Command> = userAt.map((at) => disableCommand(at, true))
export const enabling: fc.Arbitrary<Command> = userAt.map((at) => disableCommand(at, false))
export const resetting: fc.Arbitrary<Command> = userAt.map(resetPasswordCommand)
export const revokingClient: fc.Arbitrary<Command> = fc.nat(3).map(revokeClientCommand)
export const revokingGrant: fc.Arbitrary<Command> = fc.constantFrom(0, 0, 1, 2).map(revokeGrantCommand)
export const revokingAll: fc.Arbitrary<Command> = fc.constant(null).map(revokeAllCommand)
