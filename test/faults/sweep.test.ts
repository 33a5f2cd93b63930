import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Actor, createActor } from './actor.ts'
import { type Flow, flows } from './flows.ts'
import { canTrace, type Fault, injectFaults } from './inject.ts'
import { openStage, type Stage } from './stage.ts'

/** `full`: at every point of every flow in every way. Else every write fails once, and the distinct points die. */
const isFull = process.env['WARDER_SWEEP'] === 'full'
const isTraceable = canTrace()
if (!isTraceable)
  console.warn('NOT DONE HERE: no process may be traced, so no fault is put at single system calls.')

/**
 * One real `warder protect`, whose every write and sync for one request fails, or is the last thing it comes to. Where
 * processes cannot be traced, `full-disk.test.ts` fills the disk in other ways, and `test/crash` kills after each statement.
 */
describe.skipIf(!isTraceable)('faults at each system call', () => {
  let stage: Stage
  let actor: Actor
  beforeAll(async () => {
    stage = await openStage()
    actor = await createActor(stage.warder.issuer, stage.warder.endpoint)
  })
  afterAll(() => stage.close())

  /** One request of a flow that may meet a fault; answers whether it did. */
  async function meet(flow: Flow, fault: Fault): Promise<boolean> {
    const attempt = await flow.begin(actor, stage)
    const injection = await injectFaults(stage.warder.pid, [flow.file(stage)], [fault])
    const status = await attempt.act()
    const isMet = await injection.lift()
    const expected = !isMet ? flow.success : fault.does === 'KILL' ? undefined : 503
    expect([flow.name, fault, status]).toEqual([flow.name, fault, expected])
    if (isMet && fault.does === 'KILL') {
      await stage.restart()
      await attempt.afterDeath()
    } else if (isMet) await attempt.afterRefusal()
    return isMet
  }

  /** The fault at the first write, at the second, … until there is none left; answers how many there were. */
  async function meetAtEach(flow: Flow, does: Fault['does'], most = Number.POSITIVE_INFINITY) {
    let nth = 0
    while (nth < most && (await meet(flow, { syscall: flow.writes, does, nth: nth + 1 }))) nth += 1
    return nth
  }

  for (const flow of flows) {
    const fewest = flow.writes === 'write' ? 1 : 4

    test(`V03 C41 C45 T04 ${flow.name}: each write that fails is a 503, nothing has happened, and it works again`, async () => {
      for (const does of isFull ? (['ENOSPC', 'EIO', 'EROFS'] as const) : (['ENOSPC'] as const))
        expect(await meetAtEach(flow, does)).toBeGreaterThanOrEqual(fewest)
      expect(await meet(flow, { syscall: flow.syncs, does: 'EIO', nth: 1 })).toBe(true)
      expect(await meet(flow, { syscall: flow.writes, does: 'EROFS' })).toBe(true)
    }, 300_000)

    test(`V01 V02 T05 ${flow.name}: kill -9 at a write or sync leaves all of it or nothing`, async () => {
      // The first header of a frame, and the first page: what follows until the sync is the same again.
      expect(await meetAtEach(flow, 'KILL', isFull ? undefined : 2)).toBeGreaterThanOrEqual(1)
      expect(await meet(flow, { syscall: flow.syncs, does: 'KILL', nth: 1 })).toBe(true)
    }, 300_000)
  }

  test('V01 V02 what could not be synced and was refused may come back after kill -9, and is whole', async () => {
    for (const flow of flows) {
      const attempt = await flow.begin(actor, stage)
      const fault = { syscall: flow.syncs, does: 'EIO' } as const
      const injection = await injectFaults(stage.warder.pid, [flow.file(stage)], [fault])
      expect(await attempt.act()).toBe(503)
      process.kill(stage.warder.pid, 'SIGKILL')
      expect(await injection.lift()).toBe(true)
      await stage.restart()
      await attempt.afterDeath()
    }
  }, 300_000)

  test('V02 kill -9 between the commit and the answer: the token is spent, and the retry gets its child', async () => {
    const { refresh_token: token } = await actor.getTokens()
    const fault = { syscall: 'fsync', does: 'PAUSE', nth: 1 } as const
    const injection = await injectFaults(stage.warder.pid, [`${stage.database}-wal`], [fault])
    const answer = actor.refresh(token)
    // The disk has it all by then, and the process is held for seconds before it learns of that.
    await delay(800)
    process.kill(stage.warder.pid, 'SIGKILL')
    await injection.lift()
    expect(await answer).toBeUndefined()
    // Only now nobody else has the database open.
    await stage.warder.stop('SIGKILL')
    const hash = createHash('sha256').update(token).digest('base64url')
    const spent = await stage.withStore((store) => store.grants.loadRefreshToken(hash))
    expect(spent?.usedAt).toBeDefined()
    await stage.restart()
    const retry = await actor.refresh(token)
    expect(retry?.status).toBe(200)
    expect((await actor.refresh(String(retry?.body['refresh_token'])))?.status).toBe(200)
  })

  /** Refreshes until the log has been copied into the database at least once, or the server died over it. */
  async function refreshThroughCheckpoint(first: string): Promise<string> {
    let token = first
    for (let round = 0; round < 200; round += 1) {
      const answer = await actor.refresh(token)
      if (answer === undefined) return token
      expect(answer.status).toBe(200)
      token = String(answer.body['refresh_token'])
    }
    return token
  }

  test('V03 a copy into the database that fails or dies loses nothing', async () => {
    let { refresh_token: token } = await actor.getTokens()
    const faults: readonly Fault[] = [
      { syscall: 'pwrite64', does: 'ENOSPC' },
      { syscall: 'fsync', does: 'EIO' },
      { syscall: 'pwrite64', does: 'KILL', nth: 1 },
      { syscall: 'pwrite64', does: 'KILL', nth: 3 },
      { syscall: 'fsync', does: 'KILL', nth: 1 },
    ]
    for (const fault of faults) {
      const injection = await injectFaults(stage.warder.pid, [stage.database], [fault])
      token = await refreshThroughCheckpoint(token)
      expect(await injection.lift()).toBe(true)
      if (fault.does === 'KILL') await stage.restart()
      const answer = await actor.refresh(token)
      expect(answer?.status).toBe(200)
      token = String(answer?.body['refresh_token'])
    }
  }, 120_000)
})
