import { Refusal } from '@warder/protocol'
import type { ChildProcess } from './child-process.ts'
import { type HostedChild, type HostedChildOptions, startHostedChild } from './hosted-child.ts'

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

/** Keeps the children; `maxChildren` counts those that are starting and those that are not quite gone, too. */
export function createChildren(
  options: Omit<HostedChildOptions, 'processes'> & { readonly maxChildren: number },
): Children {
  const byOwner = new Map<string, Promise<HostedChild>>()
  const processes = new Set<ChildProcess>()
  let closed = false

  const start = async (): Promise<HostedChild> => {
    if (closed) throw new Refusal('upstream.unreachable', { detail: 'Warder is stopping' })
    return startHostedChild({ ...options, processes })
  }

  const startFor = (owner: string): Promise<HostedChild> => {
    if (processes.size >= options.maxChildren) {
      throw new Refusal('upstream.busy', { detail: `${processes.size} children are running`, retryAfter: 60 })
    }
    const starting = start()
    const forget = (): void => {
      if (byOwner.get(owner) === starting) byOwner.delete(owner)
    }
    byOwner.set(owner, starting)
    starting.then((child) => child.onEnd(forget), forget)
    return starting
  }

  return {
    acquire: async (owner, clientId) => {
      const child = await (byOwner.get(owner) ?? startFor(owner))
      const release = child.hold()
      child.clients.add(clientId)
      return { child, release }
    },
    startTemporary: start,
    close: async () => {
      closed = true
      await Promise.all([...processes].map((child) => child.stop()))
      await Promise.allSettled(byOwner.values())
    },
  }
}
