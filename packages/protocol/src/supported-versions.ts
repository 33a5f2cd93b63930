import { Refusal } from './refusals.ts'

/** The MCP revisions that Warder understands, newest first. */
export const supportedVersions: readonly string[] = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']

/** Those that a request names in its own `_meta`, as `server/discover` lists them; the others begin with a handshake. */
export const statelessVersions: readonly string[] = ['2026-07-28']

const maxEcho = 64

/**
 * The refusal of a revision, with the `data` that lets a client choose another in the same place (MCP GW-22); the echo is cut to
 * 64 characters.
 */
export function unsupportedVersion(requested: string, place: 'header' | 'meta'): Refusal {
  const supported = place === 'meta' ? statelessVersions : supportedVersions
  return new Refusal('message.version', {
    data: { supported, requested: requested.slice(0, maxEcho) },
  })
}
