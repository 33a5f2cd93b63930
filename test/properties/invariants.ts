import { Refusal } from '@warder/protocol'
import { expect } from 'vitest'
import { claimsOf, notes } from '../../packages/authorization-server/test/start.ts'
import { type AccessToken, isLive, type Model } from './model.ts'
import { covered, type World } from './world.ts'

const looked = 20

/** What holds after every step, whatever it was. */
export async function checkInvariants(m: Model, world: World): Promise<void> {
  await checkGrants(m, world)
  await world.facts().catchUp()
  for (const token of m.tokens.slice(-looked)) await checkAccessToken(m, world, token)
  await checkChanges(m, world)
}

/** The grants that are alive are those of the model, with the same scopes, and none has more than its user said yes to. */
async function checkGrants(m: Model, { w }: World): Promise<void> {
  const live = await w.store.grants.list({ live: true })
  const shown = live.map(({ id, userId, clientId, scopes, resource }) => [
    id,
    userId,
    clientId,
    scopes,
    resource,
  ])
  const expected = m.grants.filter((grant) => !grant.revoked && !grant.swept)
  expect(shown.toSorted()).toEqual(
    expected.map(({ id, user, client, scopes }) => [id, user.id, client.id, scopes, notes]).toSorted(),
  )
  for (const grant of m.grants) {
    expect([...grant.consented], 'nothing beyond the consent').toEqual(
      expect.arrayContaining([...grant.scopes]),
    )
  }
}

/** The guard takes a token exactly while its grant, its user and its ten minutes last. */
async function checkAccessToken(m: Model, world: World, access: AccessToken): Promise<void> {
  const { token, grant, scopes } = access
  const expected = isLive(m, access)
  const principal = await world
    .guard()
    .authenticate({ authorization: [`Bearer ${token}`] })
    .catch((error: unknown) => {
      if (error instanceof Refusal) return error.reason
      throw error
    })
  // A guard forgets a token that it has seen expire.
  if (access.expiresAt * 1000 <= m.now) access.provedBy = undefined
  else if (typeof principal === 'object' || /revoked|disabled/.test(principal)) access.provedBy = m.guards
  expect(
    typeof principal === 'object',
    `the guard says ${typeof principal === 'string' ? principal : 'yes'} to a token of ${grant.id}`,
  ).toBe(expected)
  if (typeof principal !== 'object') return
  expect([principal.user.subject, principal.client.id, principal.grantId]).toEqual([
    grant.user.id,
    grant.client.id,
    grant.id,
  ])
  expect([...principal.scopes].toSorted()).toEqual(scopes.toSorted())
  expect([...covered([...grant.consented])]).toEqual(expect.arrayContaining([...principal.scopes]))
  const { aud, exp, iat } = claimsOf(token)
  expect([aud, Number(exp) - Number(iat)]).toEqual([notes, 600])
}

/** Each end of a grant is in the feed once, and nothing else is said to have ended. */
async function checkChanges(m: Model, { w }: World): Promise<void> {
  const changes = await w.store.changes.listAfter(0, 10_000)
  const numbers = changes.map(({ number }) => number)
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  const ended = changes.filter(({ kind }) => kind === 'grant-revoked').map(({ subject }) => subject)
  expect(ended.length, 'each end is told once').toBe(new Set(ended).size)
  const revoked = m.grants.filter((grant) => grant.revoked).map(({ id }) => id)
  expect(revoked).toEqual(expect.arrayContaining(ended))
}
