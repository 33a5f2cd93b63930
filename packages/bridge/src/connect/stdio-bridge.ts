import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type McpEra, type McpMessage, type McpRequest, messageEra, ownValue } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { newestSessionVersion } from '../revisions.ts'
import { brakeSignIn } from './brake-sign-in.ts'
import type { Desk, HostSide, Patience } from './desk.ts'
import { unknownHost } from './envelope.ts'
import { createHostWire } from './host-wire.ts'
import { type Absence, createLink, wordsOf } from './link.ts'
import { makeError } from './outcome.ts'
import type { HostFacts, ServerFacts } from './server.ts'
import { createSessionHost } from './session-host.ts'
import { createStatelessHost } from './stateless-host.ts'
import { guessFacts } from './told-facts.ts'
import type { ToolRules } from './tool-rules.ts'
import type { UserFetch } from './user-fetch.ts'

const lastAnswersMs = 3000
/** How long a host that may not read has to take what it is told at the end. */
const lastWordsMs = 500

/** What stands between the host and the server. */
export interface StdioBridgeOptions {
  /** The server that the user named. */
  readonly url: string
  /** For words to people; default: the URL without its query. */
  readonly name?: string
  /** The command that signs in at this server, for people to copy; default: `warder login` and the URL without its query. */
  readonly loginCommand?: string
  /**
   * Authorized: adds the credentials, and asks the user to sign in where that is needed, which may take minutes. An error that is named
   * `SignInRequired` says that nobody could be asked.
   */
  readonly fetch: UserFetch
  /** The same without ever asking anybody: for what happens by itself. Default: `fetch`. */
  readonly quietFetch?: UserFetch
  readonly input: Readable
  readonly output: Writable
  readonly rules?: ToolRules
  /** What the server said last time: told to the host until the server has spoken itself. Nothing is decided by it. */
  readonly remembered?: ServerFacts
  /** The host has said who it is, which nobody has proven. */
  readonly onHost?: (host: HostFacts) => void
  /** The server has introduced itself; worth remembering. */
  readonly onFacts?: (facts: ServerFacts) => void
  /** Somebody has to sign in, and cannot do so here. It is told once for each time that the server was asked for. */
  readonly onSignInRequired?: (error: Error) => void
  /** Where the user can sign in right now, if anywhere. */
  readonly signInLink?: () => string | undefined
  /** Default: 3 seconds for a list, 45 for a call. */
  readonly patience?: Partial<Patience>
  /** How long nobody is asked again after a sign-in that came to nothing; default 30 seconds. */
  readonly brakeMs?: number
  readonly log?: BridgeLog
}

/** A stdio MCP server whose other side is a remote one. */
export interface StdioBridge {
  /** Resolves when everything is over: the host has left, or `close` was called. */
  readonly closed: Promise<void>
  /** Resolves when the end begins, for whatever reason; `closed` follows within three seconds unless something hangs. */
  readonly closing: Promise<void>
  /** Answers what is open, ends the session at the server. */
  close(): Promise<void>
}

/**
 * Shows a remote MCP server to a host over stdio. Host and server may each be of either era, and everything of one is said in the words
 * of the other: what has none is refused in words. The host is greeted at once; the server is contacted behind its back. Every request is
 * answered exactly once, or cancelled. Messages are passed on as they are but for their ids; nothing that a server names is fetched or
 * opened. Knows nothing of OAuth: see `fetch`.
 */
export function createStdioBridge(options: StdioBridgeOptions): StdioBridge {
  const { url, quietFetch = options.fetch, onSignInRequired } = options
  const log: BridgeLog = options.log ?? (() => undefined)
  const place = options.name ?? placeOf(url)
  const open = new Map<string, Set<AbortController>>()
  const working = new Set<Promise<void>>()
  let facts: ServerFacts | undefined = options.remembered
  let era: McpEra | undefined
  let host: HostFacts = { version: newestSessionVersion, capabilities: {}, clientInfo: unknownHost }
  let gaveEmptyList = false
  let lastWords = ''
  let closing: Promise<void> | undefined
  let isOver: () => void = () => undefined
  const closed = new Promise<void>((resolve) => {
    isOver = resolve
  })
  let isEnding: () => void = () => undefined
  const ending = new Promise<void>((resolve) => {
    isEnding = resolve
  })

  const changed = (): void => {
    if (!gaveEmptyList) return
    gaveEmptyList = false
    for (const side of sides) side.tellChanges()
  }
  const tellAbsence = (absence: Absence): void => {
    const words = wordsOf(absence, place, desk.signInLink(), desk.loginCommand)
    if (absence.kind === 'sign-in') onSignInRequired?.(absence.error)
    if (words === lastWords) return
    lastWords = words
    log({ level: 'warn', event: 'connect.absent', why: words })
    for (const side of sides) side.tellAbsence(words)
  }

  const link = createLink({
    url,
    fetch: brakeSignIn(options.fetch, options.quietFetch, options.brakeMs ?? 30_000),
    quietFetch,
    host: () => host,
    first: () => facts?.era ?? era ?? 'session',
    onMessage: async (message) => {
      for (const side of sides) await side.hear(message)
    },
    onMet: (server) => {
      facts = server.facts
      lastWords = ''
      log({ level: 'info', event: 'connect.met', era: server.facts.era })
      options.onFacts?.(server.facts)
      for (const side of sides) side.meet(server, false)
      changed()
    },
    onRenewed: (server) => {
      for (const side of sides) side.meet(server, true)
      gaveEmptyList = true
      changed()
    },
    onAbsent: tellAbsence,
    log,
  })

  const receive = (message: Exclude<McpMessage, { kind: 'response' }>): void => {
    const own = messageEra(message)
    era ??= own
    if (message.kind === 'request') begin(sideOf(own), message)
    else if (message.method === 'notifications/cancelled') cancel(message)
    else sideOf(own).notify(message)
  }

  const cancel = (message: McpMessage): void => {
    const calls = open.get(JSON.stringify(ownValue(message.params ?? {}, 'requestId')))
    for (const call of calls ?? []) call.abort()
  }

  const begin = (side: HostSide, request: McpRequest): void => {
    const key = JSON.stringify(request.id)
    const call = new AbortController()
    const calls = open.get(key) ?? new Set()
    open.set(key, calls.add(call))
    const work = async (): Promise<void> => {
      const outcome = await answerSafely(side, request, call.signal)
      calls.delete(call)
      if (calls.size === 0 && open.get(key) === calls) open.delete(key)
      await write(request, outcome)
    }
    const one = work()
    working.add(one)
    void one.finally(() => working.delete(one))
  }

  const answerSafely = async (side: HostSide, request: McpRequest, signal: AbortSignal): Promise<Outcome> => {
    try {
      return await side.answer(request, signal)
    } catch (error) {
      log({
        level: 'error',
        event: 'connect.failed',
        why: error instanceof Error ? error.stack : String(error),
      })
      return makeError(-32603, 'Something went wrong in Warder. Its log says more.')
    }
  }

  const write = async (request: McpRequest, outcome: Outcome): Promise<void> => {
    if (outcome.kind === 'result') await wire.send({ jsonrpc: '2.0', id: request.id, result: outcome.result })
    else if (outcome.kind === 'error')
      await wire.send({ jsonrpc: '2.0', id: request.id, error: outcome.error })
    // Who cancels does not wait; who is left open when we go is told so.
    else if (closing !== undefined) {
      const error = { code: -32603, message: 'The bridge was stopped before there was an answer.' }
      await wire.send({ jsonrpc: '2.0', id: request.id, error })
    }
  }

  const close = (): Promise<void> => {
    closing ??= (async () => {
      isEnding()
      for (const calls of open.values()) for (const call of calls) call.abort()
      await Promise.race([Promise.allSettled([...working]), sleep(lastWordsMs)])
      await link.close()
      isOver()
    })()
    return closing
  }

  const wire = createHostWire(options.input, options.output, {
    onMessage: (message) => {
      if (closing === undefined) receive(message)
    },
    onEnd: (why) => {
      log({ level: 'info', event: 'connect.host-left', why })
      // Whoever pipes requests in closes the pipe before the answers are there.
      const late = setTimeout(close, lastAnswersMs)
      void Promise.allSettled([...working]).then(() => {
        clearTimeout(late)
        return close()
      })
    },
    log,
  })
  const desk: Desk = {
    wire,
    link,
    rules: options.rules ?? { decide: () => ({ allow: true }) },
    patience: { listMs: options.patience?.listMs ?? 3000, callMs: options.patience?.callMs ?? 45_000 },
    place,
    loginCommand: options.loginCommand ?? `warder login ${place}`,
    log,
    signInLink: options.signInLink ?? (() => undefined),
    facts: () => facts ?? guessFacts(era ?? 'session', place),
    introduce: (own) => {
      host = own
      options.onHost?.(own)
    },
    noteEmptyList: () => {
      gaveEmptyList = true
    },
  }
  const sideByEra: Readonly<Record<McpEra, HostSide>> = {
    session: createSessionHost(desk),
    stateless: createStatelessHost(desk),
  }
  const sides = Object.values(sideByEra)
  const sideOf = (own: McpEra): HostSide => sideByEra[own]

  return { closed, closing: ending, close }
}

/** The address as it may be shown: what stands in a query is sometimes a key. */
function placeOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return `${origin}${pathname}`
}
