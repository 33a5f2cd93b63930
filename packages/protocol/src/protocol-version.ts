import type { McpMessage } from './mcp-message.ts'
import type { McpEra } from './mcp-methods.ts'
import { supportedVersions, unsupportedVersion } from './supported-versions.ts'

const firstStateless = '2026-07-28'

/** Refuses a revision that Warder does not understand: `message.version` with `data` for the client (MCP GW-22). */
export function checkProtocolVersion(version: string, place: 'header' | 'meta'): void {
  if (!supportedVersions.includes(version)) throw unsupportedVersion(version, place)
}

/** Whether a revision is without sessions. Says nothing about whether it is supported. */
export function isStatelessVersion(version: string): boolean {
  return version >= firstStateless
}

/** The era of a message, by its body alone: no header can move a message into the other era. */
export function messageEra(message: McpMessage): McpEra {
  return message.version === undefined || !isStatelessVersion(message.version) ? 'session' : 'stateless'
}
