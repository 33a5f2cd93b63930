import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { call } from '../protect/scripted-sign-in.ts'
import { type Actor, createActor } from './actor.ts'
import { type FullDiskStage, fullDisks } from './full-disk.ts'
import type { Stage } from './stage.ts'

for (const { name, isPossible } of fullDisks)
  if (!isPossible) console.warn(`NOT DONE HERE: ${name} cannot be had on this machine.`)

test('at least one way to a full disk exists here', () => {
  expect(fullDisks.some(({ isPossible }) => isPossible)).toBe(true)
})

/** One real `warder protect` whose disk takes nothing for a while, and then does again. */
describe.each(fullDisks.filter(({ isPossible }) => isPossible))('V03 T04 $name', (disk) => {
  let opened: FullDiskStage
  let stage: Stage
  let actor: Actor
  beforeAll(async () => {
    opened = await disk.open()
    stage = opened.stage
    actor = await createActor(stage.warder.issuer, stage.warder.endpoint)
  })
  afterAll(() => opened.close())

  const echo = (token: string): Promise<Response> =>
    call(stage.warder.endpoint, token, 'tools/call', { name: 'echo', arguments: { text: 'hello' } })

  test('C41 C45 nothing is given that is not stored, no call goes on unrecorded, and all works again by itself', async () => {
    const { warder, upstream } = stage
    const code = await actor.getCode()
    const [spent, kept, revoked] = [await actor.getTokens(), await actor.getTokens(), await actor.getTokens()]
    expect((await echo(kept.access_token)).status).toBe(200)

    const makeRoom = await opened.fill()
    // The last block of the log may take a few more records: those calls are recorded, and go on.
    while ((await echo(kept.access_token)).status === 200) expect(upstream.seen.length).toBeLessThan(50)
    const seen = upstream.seen.length
    for (let round = 0; round < 3; round += 1) {
      const answers = [
        await actor.redeem(code),
        await actor.refresh(spent.refresh_token),
        await actor.revoke(revoked.refresh_token),
      ]
      for (const answer of answers) {
        expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } })
        expect(answer?.body).not.toHaveProperty('access_token')
      }
      const refused = await echo(kept.access_token)
      expect(refused.status).toBe(503)
      expect(refused.headers.get('retry-after')).toMatch(/^\d+$/)
      expect(refused.headers.get('www-authenticate')).toBeNull()
      expect(await refused.text()).not.toContain('hello')
    }
    expect(upstream.seen.length).toBe(seen)
    // What needs no room goes on.
    expect((await fetch(`${warder.issuer}/healthz`)).status).toBe(200)
    expect((await fetch(`${warder.issuer}/.well-known/oauth-authorization-server`)).status).toBe(200)
    expect((await fetch(warder.endpoint, { method: 'POST' })).status).toBe(401)

    await makeRoom()
    expect((await actor.redeem(code))?.status).toBe(200)
    const refreshed = await actor.refresh(spent.refresh_token)
    expect(refreshed?.status).toBe(200)
    expect((await actor.refresh(String(refreshed?.body['refresh_token'])))?.status).toBe(200)
    expect((await actor.revoke(revoked.refresh_token))?.status).toBe(200)
    expect((await actor.refresh(revoked.refresh_token))?.status).toBe(400)
    expect((await echo(kept.access_token)).status).toBe(200)
    expect(upstream.seen.length).toBe(seen + 1)
  })

  test('V03 and a restart afterwards finds everything that was answered', async () => {
    const tokens = await actor.getTokens()
    await (await opened.fill())()
    await stage.restart()
    expect((await actor.refresh(tokens.refresh_token))?.status).toBe(200)
    expect((await echo(tokens.access_token)).status).toBe(200)
    const records = await stage.readLog()
    const open = records.filter((record) => record.kind === 'decision' && record.target === 'echo')
    expect(open.length).toBe(stage.upstream.seen.length)
  })
})
