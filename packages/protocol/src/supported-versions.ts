import { Refusal } from './refusals.ts'

/** The MCP revisions that Warder understands, newest first. */
export const supportedVersions: readonly string[] = ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26']

const maxEcho = 64

/** The refusal of a revision, with the `data` that lets a client choose another (MCP GW-22); the echo is cut to 64 characters. */
export function unsupportedVersion(requested: string): Refusal {
  return new Refusal('message.version', {
    data: { supported: supportedVersions, requested: requested.slice(0, maxEcho) },
  })
}
