import type { JsonObject, JsonRpcId, McpEra, McpMessage } from '@warder/protocol'
import type { Outcome, WireError } from '../child-peer.ts'

/** What a server said about itself. */
export interface ServerFacts {
  readonly era: McpEra
  readonly capabilities: JsonObject
  readonly serverInfo: JsonObject
  readonly instructions?: string
}

/** What the host said about itself; the server hears nothing else about it. */
export interface HostFacts {
  /** The revision that the host asked for. */
  readonly version: string
  readonly capabilities: JsonObject
  readonly clientInfo: JsonObject
}

/** What comes from the server without being an answer. */
export type ServerMessage = Exclude<McpMessage, { kind: 'response' }>

/** A request to the server. */
export interface ServerCall {
  readonly method: string
  readonly params: JsonObject | undefined
  readonly signal: AbortSignal
  /** What the server says while it works on this request. */
  readonly onMessage: (message: ServerMessage) => void | Promise<void>
}

/** A result or an error, as it goes back to the server. */
export type WireAnswer = { readonly result: JsonObject } | { readonly error: WireError }

/** An MCP server at the other end of HTTP, in its own era. */
export interface Server {
  readonly facts: ServerFacts
  /** Comes back exactly once; throws `ServerTrouble` or what the fetch throws when there is no answer. */
  request(call: ServerCall): Promise<Outcome>
  /** To a server with sessions: a notification, or the answer to its own request. Never throws. */
  notify(method: string, params: JsonObject | undefined): void
  respond(id: JsonRpcId, answer: WireAnswer): void
  /** Ends the session, if there is one, within two seconds. */
  close(): Promise<void>
}
