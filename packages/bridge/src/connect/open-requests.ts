import type { McpMessage } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import { readOutcome } from './outcome.ts'
import type { ServerMessage } from './server.ts'

/** Takes what is no answer. */
export type NewsTaker = (message: ServerMessage) => void | Promise<void>

/** Requests whose answers have not come yet, by the ids that we gave them. */
export interface OpenRequests {
  /** One that no request had before. */
  nextId(): number
  add(id: number, settle: (outcome: Outcome) => void): void
  isOpen(id: number): boolean
  /** False where it has its answer, or was forgotten before. */
  forget(id: number): boolean
  /** All messages come through here, on whichever stream; answers find their request by its id. */
  take(message: McpMessage, onNews: NewsTaker): void | Promise<void>
}

export function createOpenRequests(): OpenRequests {
  const open = new Map<number, (outcome: Outcome) => void>()
  let last = 0
  return {
    nextId: () => ++last,
    add: (id, settle) => void open.set(id, settle),
    isOpen: (id) => open.has(id),
    forget: (id) => open.delete(id),
    take(message, onNews) {
      if (message.kind !== 'response') return onNews(message)
      const id = message.id as number
      const settle = open.get(id)
      open.delete(id)
      settle?.(readOutcome(message.value))
    },
  }
}
