import { randomBytes } from 'node:crypto'
import { type JsonObject, Refusal } from '@warder/protocol'
import type { EventStream } from './event-stream.ts'
import type { HostedChild } from './hosted-child.ts'

const maxSessionsPerOwner = 50
/** Requests in progress of one user, with those whose clients have left: as many as the gateway lets run at one time. */
const maxOpenPerOwner = 256

/** What `initialize` began: a conversation of one client with the child of its user. */
export interface Session {
  readonly id: string
  readonly owner: string
  readonly clientId: string
  readonly child: HostedChild
  /** Open requests by their id as JSON, so that 1 and "1" differ; a client may use an id twice. */
  readonly open: Map<string, Set<AbortController>>
  /** Stops watching, by URI. */
  readonly watching: Map<string, () => void>
  /** The GET stream; a new one replaces it. */
  stream: EventStream | undefined
  lastUsed: number
  ended: boolean
}

/** The sessions of one host. */
export interface Sessions {
  create(owner: string, clientId: string, child: HostedChild): Session
  /** Throws `session.missing` or `session.unknown`; the session of another user or client is unknown (N09). */
  find(id: string | undefined, owner: string, clientId: string): Session
  /** Remembers an open request, so that `notifications/cancelled` finds it. Throws `http.throttled` when the user has too many. */
  track(session: Session, id: unknown): TrackedRequest
  end(session: Session): void
}

/** A request of a session that is not answered yet. */
export interface TrackedRequest {
  readonly cancelled: AbortSignal
  cancel(): void
  done(): void
}

/** Keeps the sessions. They are bound to user and client, end with their child, and prove nothing by themselves (OT-02). */
export function createSessions(): Sessions {
  const byId = new Map<string, Session>()
  /** How many open requests each owner has: also those of sessions that have ended, until the child has let go of them. */
  const openOf = new Map<string, number>()
  const children = new WeakSet<HostedChild>()

  const end = (session: Session): void => {
    if (!byId.delete(session.id)) return
    session.ended = true
    session.stream?.end()
    for (const stop of session.watching.values()) stop()
    for (const requests of session.open.values()) for (const request of requests) request.abort()
  }

  // Once for each child, not for each session: a child can outlive thousands of them.
  const endWith = (child: HostedChild): void => {
    if (children.has(child)) return
    children.add(child)
    child.onEnd(() => {
      for (const session of [...byId.values()]) if (session.child === child) end(session)
    })
  }

  const makeRoom = (owner: string): void => {
    const own = [...byId.values()].filter((session) => session.owner === owner)
    if (own.length < maxSessionsPerOwner) return
    const idle = own.filter((session) => session.stream === undefined && session.open.size === 0)
    const oldest = idle.sort((a, b) => a.lastUsed - b.lastUsed)[0]
    if (oldest === undefined)
      throw new Refusal('upstream.busy', { detail: 'the user has too many open sessions' })
    end(oldest)
  }

  return {
    create: (owner, clientId, child) => {
      makeRoom(owner)
      const session: Session = {
        id: randomBytes(32).toString('base64url'),
        owner,
        clientId,
        child,
        open: new Map(),
        watching: new Map(),
        stream: undefined,
        lastUsed: performance.now(),
        ended: false,
      }
      byId.set(session.id, session)
      endWith(child)
      return session
    },
    find: (id, owner, clientId) => {
      if (id === undefined) throw new Refusal('session.missing')
      const session = byId.get(id)
      if (session === undefined || session.owner !== owner || session.clientId !== clientId) {
        throw new Refusal('session.unknown')
      }
      session.lastUsed = performance.now()
      return session
    },
    track: ({ owner, open }, id) => {
      const count = openOf.get(owner) ?? 0
      if (count >= maxOpenPerOwner)
        throw new Refusal('http.throttled', { detail: 'open requests of one user' })
      openOf.set(owner, count + 1)
      const controller = new AbortController()
      const key = JSON.stringify(id)
      const same = open.get(key) ?? new Set()
      open.set(key, same.add(controller))
      const done = (): void => {
        same.delete(controller)
        if (same.size === 0) open.delete(key)
        const left = (openOf.get(owner) ?? 0) - 1
        if (left > 0) openOf.set(owner, left)
        else openOf.delete(owner)
      }
      return { cancelled: controller.signal, cancel: () => controller.abort(), done }
    },
    end,
  }
}

/** Cancels the open requests that the client calls by this id; nothing happens if there is none. */
export function cancelRequest(session: Session, params: unknown): void {
  const id = (params as JsonObject | undefined)?.['requestId']
  for (const request of session.open.get(JSON.stringify(id)) ?? []) request.abort()
}
