import type { Guard } from '@warder/guard'
import type { Upstream } from './upstream.ts'

/** One protected server. */
export interface Route {
  /** The one path that is this server's MCP endpoint, such as `/notes/mcp`; compared byte for byte. */
  readonly path: string
  readonly guard: Guard
  readonly upstream: Upstream
}
