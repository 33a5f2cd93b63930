import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect } from 'vitest'
import { type Command, command } from '../command.ts'
import { day, graceMs, hour, type Model, minute, second } from '../model.ts'
import type { World } from '../world.ts'

/**
 * A clock may be set back, but in all by less than what the feed keeps beyond the life of an access token: a revocation that
 * was swept while the clock was an hour ahead is not known any more when it is set right.
 */
const furthestBack = 45 * minute

function clockCommand(ms: number): Command {
  return command(
    `clock ${ms < 0 ? '' : '+'}${ms} ms`,
    (m) => m.now + ms > m.latest - furthestBack,
    async (m, { w }) => {
      m.now += ms
      m.latest = Math.max(m.latest, m.now)
      w.clock.now = m.now
      return []
    },
  )
}

function restartCommand(how: 'restart' | 'crash'): Command {
  return command(
    how,
    () => true,
    async (m, world) => {
      await world[how]()
      m.guards += 1
      return []
    },
  )
}

function sweepCommand(): Command {
  return command(
    'sweep',
    () => true,
    async (m, world) => {
      await world.w.store.sweep(m.now)
      for (const tab of m.browsers) if ((tab.session?.expiresAt ?? 0) <= m.now) tab.session = undefined
      for (const visit of m.visits) if (visit.expiresAt <= m.now) visit.ended = true
      await sweepGrants(m, world)
      await sweepClients(m, world)
      return []
    },
  )
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')

/** What went is looked up; that it was allowed to go is checked. */
async function sweepGrants(m: Model, { w }: World): Promise<void> {
  for (const grant of m.grants) {
    for (const member of grant.chain) {
      if (member.usedAt !== undefined && member.usedAt + graceMs <= m.now) member.sealed = false
      if (member.swept) continue
      member.swept = (await w.store.grants.loadRefreshToken(hashOf(member.token))) === undefined
      expect(member.swept).toBe(member.expiresAt <= m.now - hour)
    }
    if (grant.swept) continue
    grant.codeSwept = (await w.store.grants.loadCode(hashOf(grant.code.value))) === undefined
    const isSettled = grant.code.expiresAt <= m.now - hour && grant.chain.every(({ swept }) => swept)
    expect(grant.codeSwept, 'a code stays as long as its family').toBe(isSettled)
    grant.swept = (await w.store.grants.load(grant.id)) === undefined
    expect(grant.swept, 'a grant stays as long as its code and its family').toBe(isSettled)
  }
}

async function sweepClients(m: Model, { w }: World): Promise<void> {
  for (const client of m.clients) {
    if (client.swept || client.kind === 'document') continue
    client.swept = (await w.store.clients.load(client.id)) === undefined
    const isNeeded = m.grants.some((grant) => grant.client === client && !grant.codeSwept)
    if (client.swept) expect(isNeeded, 'the client of a grant was lost').toBe(false)
  }
}

/** Mostly moments, since hours end whatever is on its way. */
export const waiting: fc.Arbitrary<Command> = fc
  .oneof(
    {
      weight: 14,
      arbitrary: fc.constantFrom(second, 10 * second, graceMs - 1, graceMs, -second, -20 * second),
    },
    { weight: 4, arbitrary: fc.constantFrom(minute, 5 * minute, 10 * minute, -5 * minute) },
    { weight: 1, arbitrary: fc.constantFrom(hour, 9 * hour, 14 * day, 30 * day) },
  )
  .map(clockCommand)
export const restarting: fc.Arbitrary<Command> = fc
  .constantFrom('restart' as const, 'crash' as const)
  .map(restartCommand)
export const sweeping: fc.Arbitrary<Command> = fc.constant(null).map(sweepCommand)
