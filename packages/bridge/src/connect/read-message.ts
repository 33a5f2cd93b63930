import {
  isCarriedByDouble,
  type McpMessage,
  Refusal,
  readMessageValue,
  readStrictText,
  toRefusal,
} from '@warder/protocol'
import { withoutOddNumbers } from './odd-numbers.ts'

/** Answers of servers are data, and may be large; what is nested deeper could not be written again. */
const limits = { depth: 200, keys: 1_000_000 }
const noBytes = new Uint8Array()
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }

/**
 * The messages of one JSON text, by the rules of `readMcpMessage`; a batch of 2025-03-26 gives several. Throws `Refusal`
 * `message.*`. A number that a double does not carry is no reason to refuse here: it is kept as it was written, until the message
 * is written again. Who decides by arguments takes them from `readArguments`.
 */
export function readMessages(text: string): readonly McpMessage[] {
  const value = readValue(text)
  if (Array.isArray(value) && value.length === 0)
    throw new Refusal('message.shape', { detail: 'an empty batch' })
  if (!Array.isArray(value)) return [readMessageValue(value, noBytes)]
  return value.map((item: unknown) => readMessageValue(item, noBytes))
}

function readValue(text: string): unknown {
  try {
    return readStrictText(text, limits)
  } catch (error) {
    if (toRefusal(error).reason !== 'message.number') throw error
    // One odd number excuses nothing else.
    readStrictText(withoutOddNumbers(text), limits)
    return JSON.parse(text, keepNumber)
  }
}

function keepNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || context?.source === undefined) return value
  return isCarriedByDouble(context.source) ? value : rawJSON(context.source)
}
