import { hasDotSegment, isLoopbackHost, Refusal, splitWebUri } from '@warder/protocol'

/** Whether a web URL leads to this computer by its spelling. */
export function isLoopbackUrl(url: string): boolean {
  return isLoopbackHost(splitWebUri(url)?.host ?? '')
}

/**
 * An endpoint that a server named (CL-69, CL-70, CL-72): https without user info and fragment. Where `onLoopback`, because the
 * MCP server itself is on this computer, also http there. Throws `server-metadata.endpoint`; returns the raw string.
 *
 * An MCP server of the Internet must not send a browser to a port of this computer either, whatever the scheme.
 */
export function checkEndpoint(raw: string, name: string, onLoopback: boolean): string {
  const uri = splitWebUri(raw)
  if (uri === undefined) throw refused(`${name}: no plain web URL`)
  if (hasDotSegment(uri.rest)) throw refused(`${name}: dot segment`)
  if (isLoopbackHost(uri.host)) {
    if (onLoopback) return raw
    throw refused(`${name}: on this computer`)
  }
  if (uri.scheme.toLowerCase() !== 'https') throw refused(`${name}: not https`)
  return raw
}

/**
 * The URL of an MCP server that the user named (ALL-08, CL-65): https, or http on this computer; no user info, no fragment.
 * Throws `server.url`.
 */
export function checkServerUrl(raw: string): string {
  const uri = splitWebUri(raw)
  if (uri === undefined || hasDotSegment(uri.rest)) throw new Refusal('server.url', { detail: 'form' })
  if (uri.scheme.toLowerCase() !== 'https' && !isLoopbackHost(uri.host)) {
    throw new Refusal('server.url', { detail: 'http beyond this computer' })
  }
  return raw
}

/** The origin of a URL that was checked before, as a browser compares it. */
export function originOf(url: string): string {
  return new URL(url).origin
}

function refused(detail: string): Refusal {
  return new Refusal('server-metadata.endpoint', { detail })
}
