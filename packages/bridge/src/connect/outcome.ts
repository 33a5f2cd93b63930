import { isJsonObject, type JsonObject } from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'

/** How a request came out, by a response whose form has been checked. */
export function readOutcome({ result, error }: JsonObject): Outcome {
  if (error !== undefined) return { kind: 'error', error: error as WireError }
  if (isJsonObject(result)) return { kind: 'result', result }
  return makeError(-32603, 'The MCP server sent an answer that cannot be passed on.')
}

export function makeError(code: number, message: string, data?: unknown): Outcome {
  return { kind: 'error', error: data === undefined ? { code, message } : { code, message, data } }
}

/** A tool result that says why there is none; a model reads it, and the person behind it. */
export function makeToolError(words: string): Outcome {
  return { kind: 'result', result: { content: [{ type: 'text', text: words }], isError: true } }
}
