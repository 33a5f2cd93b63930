import type { StdioHost } from '@warder/bridge'
import type { Upstream } from './upstream.ts'

/** A stdio command, hosted by the bridge with one child process for each signed-in user. */
export function stdioUpstream(host: StdioHost): Upstream {
  return {
    takesResponses: false,
    send(call) {
      const { user, client } = call.principal
      const one = (name: string): string | undefined => call.headers.get(name)?.[0]
      const protocolVersion = one('mcp-protocol-version')
      const sessionId = call.stateless ? undefined : one('mcp-session-id')
      const lastEventId = call.stateless ? undefined : one('last-event-id')
      return host.handle({
        httpMethod: call.httpMethod,
        // JSON keeps issuer and subject apart, whatever characters they contain.
        owner: JSON.stringify([user.issuer, user.subject]),
        clientId: client.id,
        ...(call.message === undefined ? {} : { message: call.message }),
        headers: {
          ...(protocolVersion === undefined ? {} : { protocolVersion }),
          ...(sessionId === undefined ? {} : { sessionId }),
          ...(lastEventId === undefined ? {} : { lastEventId }),
        },
        signal: call.signal,
      })
    },
    close: () => host.close(),
  }
}
