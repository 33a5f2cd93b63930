import { setTimeout as sleep } from 'node:timers/promises'
import { Refusal } from '@warder/protocol'
import type { ChildProcess } from './child-process.ts'
import { type HostedChild, type HostedChildOptions, startHostedChild } from './hosted-child.ts'
import { createRestarts, type RestartRules } from './restarts.ts'

/** The children of one host, at most one for each owner. */
export interface Children {
  /** The owner's child, started if need be, and held; calls that come together start one. Throws `Refusal` `upstream.*`. */
  acquire(
    owner: string,
    clientId: string,
  ): Promise<{ readonly child: HostedChild; readonly release: () => void }>
  /** A child that belongs to nobody; the caller stops it. */
  startTemporary(): Promise<HostedChild>
  close(): Promise<void>
}

/** How children are started, and how many. */
export interface ChildrenOptions extends Omit<HostedChildOptions, 'processes'> {
  readonly maxChildren: number
  readonly restarts: RestartRules
}

/**
 * Keeps the children. `maxChildren` counts those that are starting and those that are not quite gone, too; when it is
 * reached, the one that has been idle for the longest time makes room.
 */
export function createChildren(options: ChildrenOptions): Children {
  const byOwner = new Map<string, Promise<HostedChild>>()
  const used = new Set<HostedChild>()
  const processes = new Set<ChildProcess>()
  const restarts = createRestarts(options.restarts, options.log)
  const closing = new AbortController()

  const checkOpen = (): void => {
    if (closing.signal.aborted) throw new Refusal('upstream.unreachable', { detail: 'Warder is stopping' })
  }

  const stopOldestIdle = async (): Promise<void> => {
    const idle = [...used].filter((child) => child.idleSince() !== undefined)
    const oldest = idle.sort((a, b) => (a.idleSince() ?? 0) - (b.idleSince() ?? 0))[0]
    if (oldest === undefined) {
      throw new Refusal('upstream.busy', { detail: `${processes.size} children are running`, retryAfter: 60 })
    }
    options.log({ level: 'info', event: 'child.evicted' })
    await oldest.stop()
  }

  const start = async (owner: string): Promise<HostedChild> => {
    checkOpen()
    const wait = restarts.checkStart(owner)
    if (wait > 0) await sleep(wait, undefined, { signal: closing.signal }).catch(() => undefined)
    while (processes.size >= options.maxChildren) await stopOldestIdle()
    checkOpen()
    try {
      // It counts from here on, and nothing was awaited since there was room.
      return await startHostedChild({ ...options, processes })
    } catch (error) {
      if (!closing.signal.aborted && !isBusy(error)) restarts.noteCrash(owner)
      throw error
    }
  }

  const startFor = (owner: string): Promise<HostedChild> => {
    const starting = start(owner)
    const forget = (): void => {
      if (byOwner.get(owner) === starting) byOwner.delete(owner)
    }
    const watch = (child: HostedChild): void => {
      child.onEnd(() => {
        used.delete(child)
        if (child.crashed()) restarts.noteCrash(owner)
        forget()
      })
    }
    byOwner.set(owner, starting)
    starting.then(watch, forget)
    return starting
  }

  const holdChild = async (owner: string): Promise<{ child: HostedChild; release: () => void }> => {
    const child = await (byOwner.get(owner) ?? startFor(owner))
    // It may have been stopped as idle between the two; one that has crashed says so itself.
    if (child.isOver() && !child.crashed()) return holdChild(owner)
    return { child, release: child.hold() }
  }

  return {
    acquire: async (owner, clientId) => {
      const held = await holdChild(options.shared ? 'everybody' : owner)
      // Only now can it be idle: nobody takes it away before its first call.
      if (!held.child.isOver()) used.add(held.child)
      held.child.clients.add(clientId)
      return held
    },
    startTemporary: async () => {
      checkOpen()
      return startHostedChild({ ...options, processes })
    },
    close: async () => {
      closing.abort()
      await Promise.all([...processes].map((child) => child.stop()))
      await Promise.allSettled(byOwner.values())
    },
  }
}

/** Nothing was started, so that nothing has crashed. */
const isBusy = (error: unknown): boolean => error instanceof Refusal && error.reason === 'upstream.busy'
