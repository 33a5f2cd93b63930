import type { McpEra } from '@warder/protocol'
import type { Server } from './server.ts'
import { ServerTrouble } from './server-trouble.ts'
import { openSessionServer, type SessionServerOptions } from './session-server.ts'
import { offersOurs, openStatelessServer } from './stateless-server.ts'

/**
 * Finds out which era a server speaks, and opens it. The era that is tried first costs nothing more where it is the right one; the other
 * is tried only when the server's answer says that it did not understand (GW-80 to GW-84). Throws `ServerTrouble` and what the fetch
 * throws.
 */
export async function meetServer(options: SessionServerOptions, first: McpEra): Promise<Server> {
  const second = first === 'session' ? 'stateless' : 'session'
  try {
    return await open[first](options)
  } catch (error) {
    if (!mayBeOther(error, first)) throw error
    return open[second](options).catch((other: unknown) => {
      // Whoever understood us well enough to explain knows best what is wrong.
      throw nameOldTransport(
        other instanceof ServerTrouble && other.wire === undefined && hasWire(error) ? error : other,
      )
    })
  }
}

const open: Readonly<Record<McpEra, (options: SessionServerOptions) => Promise<Server>>> = {
  session: openSessionServer,
  stateless: openStatelessServer,
}

const hasWire = (error: unknown): boolean => error instanceof ServerTrouble && error.wire !== undefined

/** Servers of 2024-11-05 take no POST where their stream is; what they offer instead is deprecated since 2025-03-26 (OT-14). */
function nameOldTransport(error: unknown): unknown {
  if (!(error instanceof ServerTrouble) || (error.status !== 404 && error.status !== 405)) return error
  const words = `${error.message}. If it is a server of the old HTTP+SSE transport, which Warder does not speak, ask for its address for streamable HTTP: often /mcp instead of /sse`
  return new ServerTrouble(error.kind, words, { status: error.status, cause: error })
}

/** Errors that only a server of 2026-07-28 knows (GW-82). */
const modernCodes: ReadonlySet<number> = new Set([-32020, -32021])

function mayBeOther(error: unknown, first: McpEra): boolean {
  // An old server may break over a method that it does not know.
  const isAnswer =
    error instanceof ServerTrouble &&
    (error.kind === 'answer' || error.status === 500 || error.status === 501)
  if (!isAnswer) return false
  if (first === 'session') return true
  if (error.wire === undefined) return true
  // It knows this way of refusing a version, but which ones does it have?
  if (error.wire.code === -32022) return !offersOurs(error.wire)
  return !modernCodes.has(error.wire.code)
}
