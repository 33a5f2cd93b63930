import { isJsonObject, type JsonObject } from '@warder/protocol'
import type { ChildFacts } from './child-facts.ts'
import type { ChildPeer, Outcome } from './child-peer.ts'
import { makeChildParams } from './eras.ts'

/** What one child was asked to report about, over all streams and sessions of its owner. */
export interface WatchedResources {
  /** Whether the child reports changes of single resources at all. */
  readonly supported: boolean
  /**
   * Adds a reader for a URI; `stop` takes it away again. If the child refuses, or the signal aborts before the child has
   * answered, that is the outcome, and there is no reader.
   */
  watch(uri: string, signal: AbortSignal): Promise<{ readonly outcome: Outcome; readonly stop: () => void }>
  /** For a stateless child: asks it once for the lists that it can report about. */
  start(): void
}

/** A URI that the child is asked about. */
interface Watched {
  readonly readers: Set<symbol>
  /** Aborts with the last reader: a child that has not answered yet need not. */
  readonly unread: AbortController
  readonly outcome: Promise<Outcome>
}

const nothing: Outcome = { kind: 'result', result: {} }

/** Keeps the child's own subscriptions equal to what its owner's clients watch, in the way of the child's era. */
export function createWatchedResources(facts: ChildFacts, peer: ChildPeer): WatchedResources {
  const watched = new Map<string, Watched>()
  const resources = facts.capabilities['resources']
  const supported = isJsonObject(resources) && resources['subscribe'] === true
  const lists = readListFilter(facts.capabilities)
  let listening: AbortController | undefined

  // A stateless child knows no single subscription: it is asked anew for everything, and the request before is cancelled.
  const listenAnew = (): void => {
    const before = listening
    const filter = { ...lists, ...(watched.size === 0 ? {} : { resourceSubscriptions: [...watched.keys()] }) }
    if (Object.keys(filter).length > 0) {
      listening = new AbortController()
      const make = (): JsonObject => makeChildParams({ notifications: filter }, 'stateless', undefined)
      void peer.request('subscriptions/listen', make, { signal: listening.signal })
    } else {
      listening = undefined
    }
    before?.abort()
  }

  const subscribe = async (uri: string, signal: AbortSignal): Promise<Outcome> => {
    if (facts.era === 'session') return peer.request('resources/subscribe', () => ({ uri }), { signal })
    listenAnew()
    return nothing
  }

  const unsubscribe = (uri: string): void => {
    if (facts.era === 'session') peer.tell('resources/unsubscribe', { uri })
    else listenAnew()
  }

  const begin = (uri: string): Watched => {
    const unread = new AbortController()
    const entry = { readers: new Set<symbol>(), unread, outcome: Promise.resolve(nothing) }
    watched.set(uri, entry)
    entry.outcome = subscribe(uri, unread.signal)
    return entry
  }

  const watch: WatchedResources['watch'] = async (uri, signal) => {
    const entry = watched.get(uri) ?? begin(uri)
    const reader = Symbol(uri)
    entry.readers.add(reader)
    const stop = (): void => {
      if (!entry.readers.delete(reader) || entry.readers.size > 0) return
      if (watched.get(uri) !== entry) return
      watched.delete(uri)
      entry.unread.abort()
      unsubscribe(uri)
    }
    const outcome = await unlessAborted(entry.outcome, signal)
    if (outcome.kind === 'cancelled') stop()
    else if (outcome.kind === 'error' && watched.get(uri) === entry) watched.delete(uri)
    return { outcome, stop }
  }

  return {
    supported,
    watch,
    start: () => {
      if (facts.era === 'stateless') listenAnew()
    },
  }
}

/** A child may never answer, and whoever asked does not wait for ever. */
async function unlessAborted(outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  const { promise: aborted, resolve } = Promise.withResolvers<Outcome>()
  const leave = (): void => resolve({ kind: 'cancelled' })
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([outcome, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

function readListFilter(capabilities: JsonObject): JsonObject {
  const names = ['tools', 'prompts', 'resources'] as const
  const reported = names.filter((name) => reportsChanges(capabilities, name))
  return Object.fromEntries(reported.map((name) => [`${name}ListChanged`, true]))
}

/** Whether the child says that it reports changes of the list. */
export function reportsChanges(capabilities: JsonObject, list: 'tools' | 'prompts' | 'resources'): boolean {
  const capability = capabilities[list]
  return isJsonObject(capability) && capability['listChanged'] === true
}
