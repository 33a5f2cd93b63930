import type { McpMessage } from '@warder/protocol'

/** One authorized HTTP exchange with an MCP endpoint, already read and decided upon by the gateway. */
export interface HostedCall {
  readonly httpMethod: 'POST' | 'GET' | 'DELETE'
  /** Issuer and subject of the signed-in user; equal owners share one child process, different ones never do. */
  readonly owner: string
  /** The OAuth client: a session answers only to the client that opened it. */
  readonly clientId: string
  /** The body of a POST. */
  readonly message?: McpMessage
  readonly headers: {
    /** `MCP-Protocol-Version`. */
    readonly protocolVersion?: string
    /** `Mcp-Session-Id`. */
    readonly sessionId?: string
    /** `Last-Event-ID`; ignored, since no stream can be resumed. */
    readonly lastEventId?: string
  }
  /**
   * Aborts when the HTTP client is gone, and with a Refusal as its reason when the right to the call has ended: then the child
   * is told, too (N07).
   */
  readonly signal: AbortSignal
}

/** What goes back over HTTP: no body, a whole JSON body, or the events of a `text/event-stream`. */
export interface HostedAnswer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Record<string, string>
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
}
