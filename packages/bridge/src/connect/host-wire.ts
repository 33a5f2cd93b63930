import type { Readable, Writable } from 'node:stream'
import { type JsonObject, type JsonRpcId, jsonRpcError, type McpMessage, toRefusal } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import type { BridgeLog } from '../log.ts'
import { readLines } from '../read-lines.ts'
import { makeError, readOutcome } from './outcome.ts'
import { readMessages } from './read-message.ts'

const maxLineBytes = 32 * 1024 * 1024
/** A host that lets more than this wait does not read any more. */
const maxWaitingBytes = 128 * 1024 * 1024

/** The host at the other end of stdin and stdout. */
export interface HostWire {
  /** Writes one message; what comes back settles when the host has taken it, or is gone. */
  send(message: object): Promise<void> | undefined
  /** The same for what little is said besides the answers: nobody waits. */
  tell(message: object): void
  /** Asks the host; the id is ours. Aborting tells it that the request is cancelled. */
  ask(method: string, params: JsonObject | undefined, signal: AbortSignal): Promise<Outcome>
}

/** What happens on the wire. */
export interface HostEvents {
  onMessage(message: Exclude<McpMessage, { kind: 'response' }>): void
  /** The host has closed its side, does not read, or is gone. */
  onEnd(why: string): void
  readonly log: BridgeLog
}

/** Speaks JSON lines with the host. Every line that is no message is answered as far as JSON-RPC allows. */
export function createHostWire(input: Readable, output: Writable, events: HostEvents): HostWire {
  const asked = new Map<number, (outcome: Outcome) => void>()
  let nextId = 1
  let ended = false
  let isDeaf = false
  /** Whoever waits until the host has read. */
  const waiting = new Set<() => void>()

  const release = (): void => {
    for (const one of waiting) one()
    waiting.clear()
  }

  const leave = (why: string): void => {
    if (ended) return
    ended = true
    for (const settle of asked.values()) settle(makeError(-32603, 'The host is gone.'))
    asked.clear()
    events.onEnd(why)
  }

  /** Nothing is said any more, and nobody waits for it to be heard. */
  const giveUpSaying = (why: string): void => {
    isDeaf = true
    release()
    leave(why)
  }

  const send = (message: object): Promise<void> | undefined => {
    if (isDeaf || output.destroyed || output.writableEnded) return undefined
    if (output.write(`${JSON.stringify(message)}\n`)) return undefined
    if (output.writableLength > maxWaitingBytes) {
      giveUpSaying('it does not read')
      return undefined
    }
    return new Promise((resolve) => void waiting.add(resolve))
  }

  const tell = (message: object): void => void send(message)

  const receive = (line: string, cut: boolean): void => {
    if (cut) {
      tell(jsonRpcError(null, -32700, `A message may have at most ${maxLineBytes} bytes.`))
      return
    }
    if (line.trim() === '') return
    let messages: readonly McpMessage[]
    try {
      messages = readMessages(line)
    } catch (error) {
      const { rule, reason } = toRefusal(error)
      events.log({ level: 'warn', event: 'connect.host-garbage', reason })
      tell(jsonRpcError(readIdOf(line), rule.code ?? -32600, rule.says))
      return
    }
    // A batch of 2025-03-26: its messages are answered one by one.
    for (const message of messages) {
      if (message.kind !== 'response') events.onMessage(message)
      else if (typeof message.id === 'number') {
        const settle = asked.get(message.id)
        asked.delete(message.id)
        settle?.(readOutcome(message.value))
      }
    }
  }

  // A closed pipe is how a host leaves; without a listener it would be how we crash.
  output.on('error', () => giveUpSaying('it does not listen any more'))
  output.on('drain', release)
  output.on('close', release)
  input.on('error', () => leave('its output broke'))
  readLines(input, maxLineBytes, receive)
  input.on('end', () => leave('it closed our input'))
  input.on('close', () => leave('it closed our input'))

  return {
    send,
    tell,
    ask: (method, params, signal) =>
      new Promise((resolve) => {
        if (ended) return resolve(makeError(-32603, 'The host is gone.'))
        if (signal.aborted) return resolve({ kind: 'cancelled' })
        const id = nextId++
        const cancel = (): void => {
          if (!asked.delete(id)) return
          tell({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
          resolve({ kind: 'cancelled' })
        }
        signal.addEventListener('abort', cancel, { once: true })
        asked.set(id, (outcome) => {
          signal.removeEventListener('abort', cancel)
          resolve(outcome)
        })
        tell({ jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) })
      }),
  }
}

/** The id of what looks like a request but is none, so that its sender is not left waiting. */
function readIdOf(line: string): JsonRpcId | null {
  try {
    const { id } = JSON.parse(line) as { id?: unknown }
    return typeof id === 'string' || Number.isSafeInteger(id) ? (id as JsonRpcId) : null
  } catch {
    return null
  }
}
