import { type McpMessage, Refusal } from '@warder/protocol'
import { acceptedAnswer, answerRequest, jsonAnswer } from './answer-request.ts'
import type { Children } from './children.ts'
import { forwardedMethods, makeDiscovery } from './eras.ts'
import type { HostedAnswer, HostedCall } from './hosted-call.ts'
import { listenAnswer } from './listen-answer.ts'

const ownMethods: ReadonlySet<string> = new Set(['server/discover', 'subscriptions/listen'])

/**
 * Answers a call of revision 2026-07-28: each POST stands alone, and no session id is read or given (GW-12, N14).
 * Methods that the revision has removed are unknown (GW-23).
 */
export async function answerStateless(
  children: Children,
  call: HostedCall,
  message: McpMessage,
): Promise<HostedAnswer> {
  if (message.kind === 'response') throw new Refusal('message.shape', { detail: 'a response was sent' })
  if (message.kind === 'notification') return acceptedAnswer()
  const { id, method, params } = message
  if (!forwardedMethods.has(method) && !ownMethods.has(method)) throw new Refusal('message.method')

  const { child, release } = await children.acquire(call.owner, call.clientId)
  try {
    if (child.isClogged()) throw new Refusal('upstream.busy', { detail: 'the child does not read its input' })
    if (method === 'subscriptions/listen') return await listenAnswer(child, call, message, release)
    if (method === 'server/discover') {
      release()
      return jsonAnswer({ jsonrpc: '2.0', id, result: makeDiscovery(child.facts) })
    }
    const gone = call.signal
    return await answerRequest({
      child,
      era: 'stateless',
      id,
      method,
      params,
      gone,
      cancelled: gone,
      onDone: release,
    })
  } catch (error) {
    release()
    throw error
  }
}
