import { Refusal, supportedVersions } from '@warder/protocol'
import type { Head } from './read-head.ts'

/** What a client of 2024-11-05 is told at every address that it tries: the transport that is spoken here, and where. */
export function oldTransport(endpoint: string): Refusal {
  return new Refusal('http.transport', {
    data: { supported: [{ transport: 'streamable-http', endpoint, revisions: supportedVersions }] },
  })
}

/**
 * Whether a client asks for a stream without having said anything before, as those of 2024-11-05 do. Newer ones without a session
 * do so too; the status 405 tells them what they expect to hear where there is no stream.
 */
export function isFirstWord({ method, headers }: Head): boolean {
  return method === 'GET' && !headers.has('mcp-session-id') && !headers.has('mcp-protocol-version')
}
