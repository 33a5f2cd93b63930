import {
  isJsonObject,
  type JsonObject,
  knownMethods,
  type McpMessage,
  type McpRequest,
  ownValue,
} from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { makeErrand, runErrand } from './errand.ts'
import type { HostWire } from './host-wire.ts'
import { type Absence, type Link, readAbsence, wordsOf } from './link.ts'
import { makeError, makeToolError } from './outcome.ts'
import { readArguments } from './read-arguments.ts'
import type { HostFacts, Server, ServerFacts, ServerMessage } from './server.ts'
import { ServerTrouble } from './server-trouble.ts'
import type { ToolRules } from './tool-rules.ts'
import { waitForAnswer } from './wait-for-answer.ts'

/** How long the host waits for a server that has not been met, or that wants a sign-in first, in milliseconds. */
export interface Patience {
  /** For a list. After this it is empty, and said to have changed as soon as it is known. */
  readonly listMs: number
  /** For a call, during a sign-in. */
  readonly callMs: number
}

/** What both kinds of hosts need to be answered. */
export interface Desk {
  readonly wire: HostWire
  readonly link: Link
  readonly rules: ToolRules
  readonly patience: Patience
  /** The server in words: its address without anything secret. */
  readonly place: string
  /** What signs in at the server from elsewhere, without anything secret. */
  readonly loginCommand: string
  readonly log: BridgeLog
  /** Where the user can sign in right now, if that is known. */
  signInLink(): string | undefined
  /** The best that is known about the server. */
  facts(): ServerFacts
  /** The host has said who it is. */
  introduce(host: HostFacts): void
  /** A list was given away empty: its reader is told when there is more. */
  noteEmptyList(): void
}

/** One kind of host: that of a session, or that of single requests. */
export interface HostSide {
  /** Comes back exactly once. `cancelled` is not answered. */
  answer(request: McpRequest, signal: AbortSignal): Promise<Outcome>
  notify(message: Extract<McpMessage, { kind: 'notification' }>): void
  /** What the server says without being asked. */
  hear(message: ServerMessage): void | Promise<void>
  /** The server has been met, or has a new session. */
  meet(server: Server, again: boolean): void
  /** Lists that were read may be different now. */
  tellChanges(): void
  tellAbsence(words: string): void
}

/** What one kind of host does with a request. */
export interface Bearer {
  bring(server: Server, signal: AbortSignal): Promise<Outcome>
  /** The host was given an empty list, while this one is still on its way. */
  noteLateList(list: Promise<Outcome>): void
}

/**
 * Brings a request to the server and its answer back: past the rules for tools, through the wait for a server that is not there yet or
 * for a sign-in, and with words instead of silence when there is no answer.
 */
export async function bringToServer(
  desk: Desk,
  request: McpRequest,
  signal: AbortSignal,
  { bring, noteLateList }: Bearer,
): Promise<Outcome> {
  const { method } = request
  const denied = decideCall(desk, request)
  if (denied !== undefined) return denied
  const list = knownMethods.get(method)?.lists
  const patienceMs = list === undefined ? desk.patience.callMs : desk.patience.listMs
  const begun = performance.now()
  const found = await desk.link.reach(patienceMs, signal)
  if (signal.aborted) return { kind: 'cancelled' }
  if (!('facts' in found)) return answerAbsence(desk, method, list, found)
  // Rules may have come in while we waited.
  const deniedNow = decideCall(desk, request)
  if (deniedNow !== undefined) return deniedNow
  if (list !== undefined && !offers(found.facts.capabilities, list)) return emptyList(list)
  const errand = makeErrand(true)
  const isSigningIn = (): boolean => errand.isHeldUp && desk.signInLink() !== undefined
  const stop = new AbortController()
  try {
    const answer = runErrand(errand, () => bring(found, AbortSignal.any([signal, stop.signal])))
    const leftMs = Math.max(patienceMs - (performance.now() - begun), 0)
    const outcome = await waitForAnswer(answer, leftMs, isSigningIn)
    if (outcome === undefined) {
      // Nothing may be done once the host has been told that it was not; a list does nothing.
      if (list === undefined) stop.abort()
      else noteLateList(answer)
      return answerAbsence(desk, method, list, { kind: 'waiting' })
    }
    return method === 'tools/list' ? filterTools(desk, outcome) : outcome
  } catch (error) {
    if (signal.aborted) return { kind: 'cancelled' }
    return answerTrouble(desk, method, error)
  }
}

function decideCall(desk: Desk, request: McpRequest): Outcome | undefined {
  if (request.method !== 'tools/call') return undefined
  const name = ownValue(request.params ?? {}, 'name')
  // A call without a name is the server's to refuse.
  if (typeof name !== 'string') return undefined
  const args = ownValue(request.params ?? {}, 'arguments')
  const decisions = readArguments(isJsonObject(args) ? args : {}).map((one) => desk.rules.decide(name, one))
  const decision = decisions.find(({ allow }) => !allow)
  if (decision === undefined || decision.allow) return undefined
  desk.log({ level: 'info', event: 'connect.tool-denied', tool: name, why: decision.reason })
  return makeToolError(
    `The tool ${name} was not called: ${decision.reason}. This is a rule of the user for ${desk.place}, kept by Warder. Do not try again.`,
  )
}

function filterTools(desk: Desk, outcome: Outcome): Outcome {
  const tools = outcome.kind === 'result' ? ownValue(outcome.result, 'tools') : undefined
  if (outcome.kind !== 'result' || !Array.isArray(tools)) return outcome
  const kept = tools.filter((tool: unknown) => {
    const name = isJsonObject(tool) ? tool['name'] : undefined
    if (typeof name !== 'string') return false
    const decision = desk.rules.decide(name)
    if (!decision.allow)
      desk.log({ level: 'info', event: 'connect.tool-hidden', tool: name, why: decision.reason })
    return decision.allow
  })
  return kept.length === tools.length
    ? outcome
    : { kind: 'result', result: { ...outcome.result, tools: kept } }
}

function answerAbsence(desk: Desk, method: string, list: string | undefined, absence: Absence): Outcome {
  const words = wordsOf(absence, desk.place, desk.signInLink(), desk.loginCommand)
  if (absence.kind === 'trouble') return makeError(-32603, words)
  if (list !== undefined) {
    desk.noteEmptyList()
    return emptyList(list)
  }
  return method === 'tools/call' ? makeToolError(words) : makeError(-32603, words)
}

function answerTrouble(desk: Desk, method: string, error: unknown): Outcome {
  const absence = readAbsence(error)
  const words = wordsOf(absence, desk.place, desk.signInLink(), desk.loginCommand)
  desk.log({ level: 'warn', event: 'connect.no-answer', method, why: words })
  if (absence.kind === 'sign-in')
    return method === 'tools/call' ? makeToolError(words) : makeError(-32603, words)
  const isUnauthorized = error instanceof ServerTrouble && error.kind === 'unauthorized'
  // What the server says itself says more.
  if (error instanceof ServerTrouble && error.wire !== undefined && !isUnauthorized) {
    return { kind: 'error', error: error.wire }
  }
  return isUnauthorized && method === 'tools/call' ? makeToolError(words) : makeError(-32603, words)
}

const emptyList = (list: string): Outcome => ({ kind: 'result', result: { [list]: [] } })

function offers(capabilities: JsonObject, list: string): boolean {
  return isJsonObject(ownValue(capabilities, list === 'resourceTemplates' ? 'resources' : list))
}
