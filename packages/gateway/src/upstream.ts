import type { Principal } from '@warder/policy'
import type { McpPost } from '@warder/protocol'

/** One authorized exchange with the MCP server behind the gateway. */
export interface UpstreamCall {
  readonly httpMethod: 'POST' | 'GET' | 'DELETE'
  readonly principal: Principal
  /** Name of the server in the policy. */
  readonly server: string
  /** The protected resource that the caller's token is for. */
  readonly resource: string
  /**
   * The body of a POST; `bytes` in it are what the client sent, but for the cursor of a list and the resources of a
   * subscription.
   */
  readonly post: McpPost | undefined
  /** Whether the request is of revision 2026-07-28 or later: stateless, no sessions, no resumption. */
  readonly stateless: boolean
  /** The client's header lines by lower-case name; an upstream takes what it knows and nothing else. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Aborts when the client is gone, the grant has ended or the gateway closes; the answer's body then ends or throws. */
  readonly signal: AbortSignal
}

/** What the MCP server said, reduced to what may reach a client. */
export interface UpstreamAnswer {
  readonly status: number
  /** Lower-case names, already on the allow-list. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
}

/** An MCP server that the gateway protects. */
export interface Upstream {
  /** Whether JSON-RPC responses of clients (answers to the server's own requests, up to 2025-11-25) may be sent. */
  readonly takesResponses: boolean
  /** Sends once and never again (O14). Throws Refusal `upstream.*`, `session.*` or `http.method`. */
  send(call: UpstreamCall): Promise<UpstreamAnswer>
  /** Ends all connections or children. */
  close(): Promise<void>
}
