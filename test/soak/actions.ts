import { setTimeout as delay } from 'node:timers/promises'
import type { Actor } from '../faults/actor.ts'
import type { Tokens } from '../protect/scripted-sign-in.ts'
import { type Asked, ask, textOf } from './ask.ts'
import type { Audit } from './audit.ts'
import type { Scene } from './scene.ts'
import type { Session, Sessions } from './sessions.ts'

/** What an action needs. */
export interface Stand {
  readonly scene: Scene
  readonly sessions: Sessions
  readonly audit: Audit
  /** Clients of each user, one for each server. */
  readonly seats: readonly Seat[]
  /** Whether a server or the policy was disturbed since that time, so that a call may fail. */
  wasDisturbedSince(time: number): boolean
  /** Something that must never be. */
  violate(what: string): void
  /** A call that failed while its server was disturbed. */
  excuse(): void
}

export interface Seat {
  readonly user: string
  readonly resource: string
  readonly actor: Actor
}

/** One thing that clients do; how often, in relation to the others. */
export interface Action {
  readonly name: string
  readonly weight: number
  run(stand: Stand): Promise<void>
}

const mostSessions = 24

/** A call that must succeed, unless its server is disturbed or its grant is ending. */
async function callTool(stand: Stand, resource: string, tool: string, signal?: AbortSignal): Promise<void> {
  const session = stand.sessions.look(resource)
  if (session === undefined) return
  const begun = Date.now()
  const asked = await ask(session, tool, signal)
  if (isRight(session, asked)) return stand.audit.noteAnswer(asked.trace)
  if (signal?.aborted === true && asked.status === 0) return
  if (session.isEnding && isOver(asked)) return
  // Whoever got an answer at all must not have got another user's.
  if (stand.scene.users.some(({ email }) => email !== session.user && asked.body.includes(email)))
    stand.violate(`a byte of another user: ${asked.body.slice(0, 200)}`)
  else if (stand.wasDisturbedSince(begun)) stand.excuse()
  else stand.violate(`${tool} after ${Date.now() - begun} ms: ${asked.status} ${asked.body.slice(0, 200)}`)
}

/** Refused, or told while it was running that its right has ended. */
function isOver({ status, body }: Asked): boolean {
  return status === 401 || (status === 200 && body.includes('may have taken effect'))
}

function isRight(session: Session, { status, body, trace }: Asked): boolean {
  return status === 200 && body.includes(`"text":${JSON.stringify(textOf(session, trace))}`)
}

async function signIn(stand: Stand): Promise<Session | undefined> {
  const seat = stand.seats[Math.floor(Math.random() * stand.seats.length)]!
  const issuedAt = Date.now()
  const tokens = await seat.actor.getTokens()
  return { ...seat, tokens, issuedAt, isEnding: false }
}

/** All tokens of a grant that has ended must be dead; the access token within a second. */
async function expectDead(stand: Stand, session: Session, because: string): Promise<void> {
  const refreshed = await session.actor.refresh(session.tokens.refresh_token)
  if (refreshed?.status !== 400) stand.violate(`${because}: refresh answered ${refreshed?.status}`)
  await delay(1_000)
  const asked = await ask(session, session.resource === stand.scene.notes ? 'echo' : 'note')
  if (asked.status !== 401) stand.violate(`${because}: the access token answered ${asked.status}`)
}

export const actions: readonly Action[] = [
  { name: 'call over HTTP', weight: 40, run: (stand) => callTool(stand, stand.scene.notes, 'echo') },
  { name: 'call of a command', weight: 20, run: (stand) => callTool(stand, stand.scene.files, 'note') },
  { name: 'stream', weight: 8, run: (stand) => callTool(stand, stand.scene.notes, 'count') },
  {
    name: 'dropped connection',
    weight: 3,
    run: (stand) =>
      callTool(stand, stand.scene.notes, 'count', AbortSignal.timeout(Math.floor(Math.random() * 9))),
  },
  {
    name: 'sign-in',
    weight: 3,
    async run(stand) {
      const session = await signIn(stand)
      if (session === undefined) return
      if (stand.sessions.count < mostSessions) return stand.sessions.add(session)
      const revoked = await session.actor.revoke(session.tokens.refresh_token)
      if (revoked?.status !== 200) stand.violate(`revocation answered ${revoked?.status}`)
    },
  },
  {
    name: 'code redeemed twice',
    weight: 1,
    async run(stand) {
      const seat = stand.seats[Math.floor(Math.random() * stand.seats.length)]!
      const code = await seat.actor.getCode()
      const answers = await Promise.all([seat.actor.redeem(code), seat.actor.redeem(code)])
      const good = answers.filter((answer) => answer?.status === 200)
      if (good.length !== 1) return stand.violate(`double use of a code: ${good.length} answers with tokens`)
      const tokens = good[0]!.body as unknown as Tokens
      await expectDead(stand, { ...seat, tokens, issuedAt: 0, isEnding: true }, 'replayed code')
    },
  },
  {
    name: 'refresh',
    weight: 10,
    async run(stand) {
      const session = stand.sessions.takeOldest()
      if (session === undefined) return
      const answer = await session.actor.refresh(session.tokens.refresh_token)
      if (answer?.status !== 200) return stand.violate(`refresh answered ${answer?.status}`)
      session.tokens = answer.body as unknown as Tokens
      session.issuedAt = Date.now()
      stand.sessions.add(session)
    },
  },
  {
    name: 'refresh twice at once',
    weight: 2,
    async run(stand) {
      const session = stand.sessions.take()
      if (session === undefined) return
      const { refresh_token: token } = session.tokens
      const answers = await Promise.all([session.actor.refresh(token), session.actor.refresh(token)])
      const children = new Set(answers.map((answer) => answer?.body['refresh_token']))
      if (answers.some((answer) => answer?.status !== 200) || children.size !== 1)
        return stand.violate(
          `two retries: ${answers.map((answer) => answer?.status)}, ${children.size} children`,
        )
      session.tokens = answers[0]!.body as unknown as Tokens
      session.issuedAt = Date.now()
      stand.sessions.add(session)
    },
  },
  {
    name: 'refresh token replayed',
    weight: 1,
    async run(stand) {
      const session = stand.sessions.take()
      if (session === undefined) return
      session.isEnding = true
      const { refresh_token: old } = session.tokens
      const first = await session.actor.refresh(old)
      session.tokens = first?.body as unknown as Tokens
      const second = await session.actor.refresh(session.tokens.refresh_token)
      if (first?.status !== 200 || second?.status !== 200)
        return stand.violate(`refresh answered ${first?.status} and ${second?.status}`)
      session.tokens = second.body as unknown as Tokens
      const replayed = await session.actor.refresh(old)
      if (replayed?.status !== 400) stand.violate(`a replay answered ${replayed?.status}`)
      await expectDead(stand, session, 'replayed refresh token')
    },
  },
  {
    name: 'revocation',
    weight: 1,
    async run(stand) {
      const session = stand.sessions.take()
      if (session === undefined) return
      session.isEnding = true
      const revoked = await session.actor.revoke(session.tokens.refresh_token)
      if (revoked?.status !== 200) stand.violate(`revocation answered ${revoked?.status}`)
      await expectDead(stand, session, 'revocation')
    },
  },
  { name: 'junk', weight: 12, run: throwJunk },
]

async function throwJunk(stand: Stand): Promise<void> {
  const { scene, sessions } = stand
  const issuer = scene.warder.issuer
  const token = sessions.look(scene.notes)?.tokens.access_token ?? ''
  const json = { 'content-type': 'application/json' }
  const bearer = (value: string) => ({ ...json, authorization: `Bearer ${value}` })
  const kinds: readonly (readonly [string, RequestInit, readonly number[]])[] = [
    [scene.notes, { method: 'POST', headers: json, body: '{}' }, [401]],
    [scene.notes, { method: 'POST', headers: bearer('x'.repeat(4_000)), body: '{}' }, [401]],
    [scene.notes, { method: 'POST', headers: bearer(`${token}x`), body: '{}' }, [401]],
    [scene.notes, { method: 'POST', headers: bearer(token), body: '{"jsonrpc":' }, [400, 401]],
    [scene.files, { method: 'POST', headers: bearer(token), body: '{}' }, [401]],
    [`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'password' }) }, [400]],
    [`${issuer}/token`, { method: 'POST', headers: json, body: '{"grant_type":1}' }, [400, 415]],
    [`${issuer}/authorize?client_id=__proto__`, {}, [400]],
    [`${issuer}/${'a/'.repeat(500)}`, {}, [404, 414]],
    [`${issuer}/register`, { method: 'POST', headers: json, body: '[[[[' }, [400, 429]],
  ]
  const [url, init, expected] = kinds[Math.floor(Math.random() * kinds.length)]!
  const answer = await fetch(url, init)
  await answer.arrayBuffer()
  if (!expected.includes(answer.status)) stand.violate(`junk at ${url.slice(0, 80)}: ${answer.status}`)
}
