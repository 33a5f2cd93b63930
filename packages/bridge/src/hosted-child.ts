import type { ChildFacts } from './child-facts.ts'
import { type ChildNotice, readNotice } from './child-notice.ts'
import { type ChildPeer, createChildPeer } from './child-peer.ts'
import { type ChildCommand, type ChildProcess, startChildProcess, unreachable } from './child-process.ts'
import { loadChildFacts } from './load-child-facts.ts'
import type { BridgeLog } from './log.ts'
import { createWatchedResources, type WatchedResources } from './watched-resources.ts'

const handshakeMs = 60_000

/** A child process that has introduced itself. */
export interface HostedChild {
  readonly facts: ChildFacts
  readonly peer: ChildPeer
  readonly watched: WatchedResources
  /** It serves all users: what it reports without being asked reaches nobody, but that a list has changed. */
  readonly shared: boolean
  /** The OAuth clients that have used this child. */
  readonly clients: Set<string>
  isClogged(): boolean
  isOver(): boolean
  /** Whether it ended otherwise than by `stop`. */
  crashed(): boolean
  /** Since when nobody holds it (`performance.now`); undefined while somebody does, and when it is over. */
  idleSince(): number | undefined
  /** Tells each notice to `reader` until the returned function is called. */
  listen(reader: (notice: ChildNotice) => void): () => void
  /** Keeps the child from being idle until the returned function is called. */
  hold(): () => void
  /** Calls `then` once, when the child is over, or at once if it is already, unless the returned function is called before. */
  onEnd(then: () => void): () => void
  stop(): Promise<void>
}

/** How a child is started and when it is stopped. */
export interface HostedChildOptions {
  readonly command: ChildCommand
  readonly idleMs: number
  /** One that is older is stopped as soon as nobody holds it. */
  readonly maxAgeMs: number
  /** One child serves all users. */
  readonly shared: boolean
  readonly log: BridgeLog
  /** Every process that has been started and is not gone yet. */
  readonly processes: Set<ChildProcess>
}

/**
 * Starts a child and makes its acquaintance. Throws `Refusal`: `upstream.unreachable` with the child's last words as detail, and
 * `upstream.busy` when too many files are open.
 */
export async function startHostedChild(options: HostedChildOptions): Promise<HostedChild> {
  const readers = new Set<(notice: ChildNotice) => void>()
  const endings = new Set<() => void>()
  const born = performance.now()
  let ended: string | undefined
  let stopped = false
  let idleSince = born
  let holds = 0
  let idle: NodeJS.Timeout | undefined

  const child = startChildProcess(options.command, {
    onMessage: (message) => peer.receive(message),
    onEnd: (reason) => {
      ended = reason
      clearTimeout(idle)
      peer.end(reason)
      for (const then of [...endings]) then()
    },
    log: options.log,
  })
  const peer = createChildPeer(child, (method, params) => {
    const notice = readNotice(method, params)
    if (notice !== undefined) for (const reader of [...readers]) reader(notice)
  })
  const stop = async (): Promise<void> => {
    if (ended === undefined) stopped = true
    await child.stop()
    options.processes.delete(child)
  }
  options.processes.add(child)
  const said = await loadFactsInTime(peer).catch(async (error: unknown) => {
    const reason = ended ?? String(error instanceof Error ? error.message : error)
    await stop()
    throw unreachable(options.command, reason, child.stderrTail())
  })
  const facts = options.shared ? withoutLogging(said) : said
  options.log({ level: 'info', event: 'child.ready', pid: child.pid, era: facts.era })
  onEnd(() => void stop())
  if (ended === undefined) restIdle()

  function onEnd(then: () => void): () => void {
    if (ended === undefined) endings.add(then)
    else then()
    return () => void endings.delete(then)
  }

  function restIdle(): void {
    clearTimeout(idle)
    idleSince = performance.now()
    const left = born + options.maxAgeMs - idleSince
    const event = left < options.idleMs ? 'child.old' : 'child.idle'
    const say = (): void => {
      options.log({ level: 'info', event, pid: child.pid })
      void stop()
    }
    idle = setTimeout(say, Math.max(0, Math.min(left, options.idleMs)))
    idle.unref()
  }

  const watched = createWatchedResources(facts, peer)
  watched.start()
  return {
    facts,
    peer,
    watched,
    shared: options.shared,
    clients: new Set(),
    isClogged: () => child.isClogged(),
    isOver: () => ended !== undefined,
    crashed: () => ended !== undefined && !stopped,
    idleSince: () => (holds === 0 && ended === undefined ? idleSince : undefined),
    listen: (reader) => {
      readers.add(reader)
      return () => void readers.delete(reader)
    },
    hold: () => {
      holds += 1
      clearTimeout(idle)
      let held = true
      return () => {
        if (!held) return
        held = false
        holds -= 1
        if (holds === 0 && ended === undefined) restIdle()
      }
    },
    onEnd,
    stop,
  }
}

function withoutLogging(facts: ChildFacts): ChildFacts {
  const { logging: _logging, ...capabilities } = facts.capabilities
  return { ...facts, capabilities }
}

async function loadFactsInTime(peer: ChildPeer): Promise<ChildFacts> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    const say = (): void => reject(new Error(`did not introduce itself within ${handshakeMs / 1000} seconds`))
    timer = setTimeout(say, handshakeMs)
  })
  try {
    return await Promise.race([loadChildFacts(peer), late])
  } finally {
    clearTimeout(timer)
  }
}
