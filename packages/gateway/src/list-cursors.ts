import type { Guard } from '@warder/guard'
import type { Principal } from '@warder/policy'
import { knownMethods, type McpMessage, ownValue, Refusal, replaceParams } from '@warder/protocol'
import { createSeal } from './seal.ts'

/** Who reads a list, of what. */
export interface ListReader {
  readonly guard: Guard
  readonly principal: Principal
}

/** Binds the cursors of lists to the caller, the method and the policy under which the page was filtered (N01). */
export interface ListCursors {
  seal(reader: ListReader, method: string, cursor: string): string
  /**
   * The message with the cursor that the server behind gave; the message itself where it has none. A foreign, forged or stale
   * one throws `message.cursor`.
   */
  open(reader: ListReader, message: McpMessage): McpMessage
}

const maxSealed = 16_384

/**
 * A cursor of the server behind could be a plain number of hidden things, which nobody may count or jump over. The key is
 * derived from `secret`, so that every node that has it reads the cursors of the others.
 */
export function createListCursors(secret: Uint8Array): ListCursors {
  const seal = createSeal(secret, 'warder list cursor')
  const facts = ({ guard, principal }: ListReader, method: string): readonly string[] => {
    const { user, client } = principal
    return [user.issuer, user.subject, client.id, guard.resource, method, guard.policyDigest()]
  }
  return {
    seal: (reader, method, cursor) => seal.close(cursor, facts(reader, method)),
    open(reader, message) {
      const { method, params } = message
      if (method === undefined || params === undefined) return message
      const cursor = ownValue(params, 'cursor')
      if (cursor === undefined || knownMethods.get(method)?.lists === undefined) return message
      const isSealed = typeof cursor === 'string' && cursor.length <= maxSealed
      const opened = isSealed ? seal.open(cursor, facts(reader, method)) : undefined
      if (opened === undefined) throw new Refusal('message.cursor')
      return replaceParams(message, { ...params, cursor: opened })
    },
  }
}
