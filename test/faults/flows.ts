import { createHash } from 'node:crypto'
import { expect } from 'vitest'
import { call, type ShownPage } from '../protect/scripted-sign-in.ts'
import { type Actor, readCode } from './actor.ts'
import type { Syscall } from './inject.ts'
import type { Stage } from './stage.ts'

/** One flow, ready for its one request that meets the fault. */
export interface Attempt {
  /** Answers the status, or undefined when the server died over it. */
  act(): Promise<number | undefined>
  /** It was refused: nothing has happened, and the same request succeeds now, without a restart. */
  afterRefusal(): Promise<void>
  /** The server died over it and is back: all of it has happened or nothing, and there is a way on. */
  afterDeath(): Promise<void>
}

export interface Flow {
  readonly name: string
  /** What a user or client sees of success. */
  readonly success: number
  /** Refused: 503, or for a browser on its way back to the client, a redirect that says so. */
  readonly refusal: number
  /** With what it puts bytes into its file, and with what it waits for the disk. */
  readonly writes: Syscall
  readonly syncs: Syscall
  file(stage: Stage): string
  begin(actor: Actor, stage: Stage): Promise<Attempt>
}

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url')
const onDatabase = {
  writes: 'pwrite64',
  syncs: 'fsync',
  file: (stage: Stage) => `${stage.database}-wal`,
} as const

const grantsOf = (stage: Stage, { clientId }: Actor): Promise<number> =>
  stage.withStore(async (store) => (await store.grants.list({ clientId })).length)

/** Whatever may have become of the one before: a new sign-in works. */
async function signInAnew(actor: Actor): Promise<void> {
  expect(await actor.getTokens()).toHaveProperty('refresh_token')
}

/** A redirect to the client that carries no code, or a page that says 503: nothing else may come of a fault. */
function statusOf(page: ShownPage | undefined): number | undefined {
  if (page === undefined || page.html !== '') return page?.status
  const answer = new URL(page.url).searchParams
  return answer.get('error') === 'temporarily_unavailable' ? 503 : page.status
}

const login: Flow = {
  name: 'sign-in',
  success: 200,
  refusal: 503,
  ...onDatabase,
  async begin(actor, stage) {
    const visit = await actor.open()
    const before = await grantsOf(stage, actor)
    const check = async (): Promise<void> => {
      expect(await grantsOf(stage, actor)).toBe(before)
      await signInAnew(actor)
    }
    return { act: async () => statusOf(await visit.sendLogin()), afterRefusal: check, afterDeath: check }
  },
}

const consent: Flow = {
  name: 'consent',
  success: 303,
  refusal: 503,
  ...onDatabase,
  async begin(actor, stage) {
    const visit = await actor.open()
    const page = (await visit.sendLogin())!
    const before = await grantsOf(stage, actor)
    return {
      async act() {
        const shown = await visit.allow(page)
        const status = statusOf(shown)
        if (status === 503) expect(readCode(shown)).toBeUndefined()
        return status
      },
      async afterRefusal() {
        expect(await grantsOf(stage, actor)).toBe(before)
        const code = readCode(await visit.allow(page))
        expect((await actor.redeem(code ?? ''))?.status).toBe(200)
        expect(await grantsOf(stage, actor)).toBe(before + 1)
      },
      async afterDeath() {
        const made = (await grantsOf(stage, actor)) - before
        const code = readCode(await visit.allow(page))
        // Either the request was still open, or its one grant is there with a code that nobody has.
        expect([made, code !== undefined]).toEqual(made === 0 ? [0, true] : [1, false])
        expect(await grantsOf(stage, actor)).toBe(before + 1)
        await signInAnew(actor)
      },
    }
  },
}

const redemption: Flow = {
  name: 'redemption',
  success: 200,
  refusal: 503,
  ...onDatabase,
  async begin(actor, stage) {
    const code = await actor.getCode()
    return {
      async act() {
        const answer = await actor.redeem(code)
        if (answer?.status === 503) expect(Object.keys(answer.body).sort()).toEqual(refusalKeys)
        return answer?.status
      },
      async afterRefusal() {
        const answer = await actor.redeem(code)
        expect(answer?.status).toBe(200)
        expect((await actor.refresh(String(answer?.body['refresh_token'])))?.status).toBe(200)
        expect((await actor.redeem(code))?.status).toBe(400)
      },
      async afterDeath() {
        const stored = await stage.withStore((store) => store.grants.loadCode(hashOf(code)))
        const isRedeemed = stored?.redeemedAt !== undefined
        const answer = await actor.redeem(code)
        expect(answer?.status).toBe(isRedeemed ? 400 : 200)
        // A code that was spent without an answer is a replay now: its tokens, which nobody has, are dead.
        const grant = await stage.withStore((store) => store.grants.load(stored?.grant.id ?? ''))
        expect(grant?.revokedAt !== undefined).toBe(isRedeemed)
        if (!isRedeemed) expect((await actor.redeem(code))?.status).toBe(400)
        await signInAnew(actor)
      },
    }
  },
}

const refusalKeys = ['error', 'error_description']

const rotation: Flow = {
  name: 'rotation',
  success: 200,
  refusal: 503,
  ...onDatabase,
  async begin(actor) {
    const { refresh_token: token } = await actor.getTokens()
    const goOn = async (): Promise<void> => {
      // The old one is valid, or its child is and this retry finds it; either way there is one child, and it works.
      const retry = await actor.refresh(token)
      expect(retry?.status).toBe(200)
      const child = String(retry?.body['refresh_token'])
      const next = await actor.refresh(child)
      expect(next?.status).toBe(200)
      // With that the old one is spent: who comes with it now is detected, and nobody goes on.
      expect((await actor.refresh(token))?.status).toBe(400)
      expect((await actor.refresh(String(next?.body['refresh_token'])))?.status).toBe(400)
    }
    return {
      async act() {
        const answer = await actor.refresh(token)
        if (answer?.status === 503) expect(Object.keys(answer.body).sort()).toEqual(refusalKeys)
        return answer?.status
      },
      afterRefusal: goOn,
      afterDeath: goOn,
    }
  },
}

const revocation: Flow = {
  name: 'revocation',
  success: 200,
  refusal: 503,
  ...onDatabase,
  async begin(actor, stage) {
    const tokens = await actor.getTokens()
    const list = async (): Promise<number> =>
      (await call(stage.warder.endpoint, tokens.access_token, 'tools/list')).status
    const revokeAgain = async (): Promise<void> => {
      expect((await actor.revoke(tokens.refresh_token))?.status).toBe(200)
      expect((await actor.refresh(tokens.refresh_token))?.status).toBe(400)
      expect(await list()).toBe(401)
    }
    return {
      act: async () => (await actor.revoke(tokens.refresh_token))?.status,
      async afterRefusal() {
        expect(await list()).toBe(200)
        await revokeAgain()
      },
      async afterDeath() {
        const isAlive = (await list()) === 200
        if (isAlive) expect((await actor.refresh(tokens.refresh_token))?.status).toBe(200)
        await revokeAgain()
      },
    }
  },
}

const toolCall: Flow = {
  name: 'tool call',
  success: 200,
  refusal: 503,
  writes: 'write',
  syncs: 'fdatasync',
  file: (stage) => stage.logFile,
  async begin(actor, stage) {
    const { access_token: token } = await actor.getTokens()
    const echo = async (): Promise<number | undefined> => {
      const params = { name: 'echo', arguments: { text: 'hello' } }
      const answer = await call(stage.warder.endpoint, token, 'tools/call', params).catch(() => undefined)
      await answer?.text()
      return answer?.status
    }
    // Nothing of an earlier call is still on its way to the disk.
    expect(await echo()).toBe(200)
    await expect.poll(async () => (await stage.readLog()).at(-1)?.kind).toBe('outcome')
    const seen = stage.upstream.seen.length
    const decided = await decisions(stage)
    const check = async (): Promise<void> => {
      // What the fault met never reached the server, and the next call is recorded and does.
      expect(stage.upstream.seen.length).toBe(seen)
      const recorded = await decisions(stage)
      expect(recorded - decided).toBeLessThanOrEqual(1)
      expect(await echo()).toBe(200)
      expect(stage.upstream.seen.length).toBe(seen + 1)
      expect(await decisions(stage)).toBe(recorded + 1)
    }
    return { act: echo, afterRefusal: check, afterDeath: check }
  },
}

async function decisions(stage: Stage): Promise<number> {
  const records = await stage.readLog()
  return records.filter((record) => record.kind === 'decision' && record.target === 'echo').length
}

export const flows: readonly Flow[] = [login, consent, redemption, rotation, revocation, toolCall]
