import { isJsonObject, type JsonObject } from '@warder/protocol'
import type { ChildFacts } from './child-facts.ts'
import type { ChildPeer, Outcome } from './child-peer.ts'
import { makeChildParams } from './eras.ts'

/** What one child was asked to report about, over all streams and sessions of its owner. */
export interface WatchedResources {
  /** Whether the child reports changes of single resources at all. */
  readonly supported: boolean
  /** Adds a reader for a URI; `stop` takes it away again. If the child refuses, that is the outcome, and there is no reader. */
  watch(uri: string): Promise<{ readonly outcome: Outcome; readonly stop: () => void }>
  /** For a stateless child: asks it once for the lists that it can report about. */
  start(): void
}

const nothing: Outcome = { kind: 'result', result: {} }

/** Keeps the child's own subscriptions equal to what its owner's clients watch, in the way of the child's era. */
export function createWatchedResources(facts: ChildFacts, peer: ChildPeer): WatchedResources {
  const watched = new Map<string, { readers: Set<symbol>; outcome: Promise<Outcome> }>()
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

  const tell = async (verb: 'subscribe' | 'unsubscribe', uri: string): Promise<Outcome> => {
    if (facts.era === 'session') return peer.request(`resources/${verb}`, () => ({ uri }))
    listenAnew()
    return nothing
  }

  const watch = async (uri: string): Promise<{ outcome: Outcome; stop: () => void }> => {
    const before = watched.get(uri)
    const entry = before ?? { readers: new Set<symbol>(), outcome: Promise.resolve(nothing) }
    const reader = Symbol(uri)
    entry.readers.add(reader)
    if (before === undefined) {
      watched.set(uri, entry)
      entry.outcome = tell('subscribe', uri)
    }
    const outcome = await entry.outcome
    if (outcome.kind !== 'result' && watched.get(uri) === entry) watched.delete(uri)
    const stop = (): void => {
      if (!entry.readers.delete(reader) || entry.readers.size > 0) return
      if (watched.get(uri) === entry && watched.delete(uri)) void tell('unsubscribe', uri)
    }
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
