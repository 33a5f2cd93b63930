import type { StdioHost } from '@warder/bridge'
import type { McpMessage } from '@warder/protocol'
import { sendBatch } from './stdio-batch.ts'
import type { Upstream } from './upstream.ts'

/** A stdio command, hosted by the bridge with one child process for each signed-in user; a batch is taken apart. */
export function stdioUpstream(host: StdioHost): Upstream {
  return {
    takesResponses: false,
    send(call) {
      const { user, client } = call.principal
      const one = (name: string): string | undefined => call.headers.get(name)?.[0]
      const protocolVersion = one('mcp-protocol-version')
      const sessionId = call.stateless ? undefined : one('mcp-session-id')
      const lastEventId = call.stateless ? undefined : one('last-event-id')
      const handle = (message: McpMessage | undefined): ReturnType<StdioHost['handle']> =>
        host.handle({
          httpMethod: call.httpMethod,
          // JSON keeps issuer and subject apart, whatever characters they contain.
          owner: JSON.stringify([user.issuer, user.subject]),
          clientId: client.id,
          ...(message === undefined ? {} : { message }),
          headers: {
            ...(protocolVersion === undefined ? {} : { protocolVersion }),
            ...(sessionId === undefined ? {} : { sessionId }),
            ...(lastEventId === undefined ? {} : { lastEventId }),
          },
          signal: call.signal,
        })
      const { post } = call
      return post?.isBatch === true ? sendBatch(post.messages, handle) : handle(post?.messages[0])
    },
    close: () => host.close(),
  }
}
