import type { ClientParts } from './client-parts.ts'
import { readServerChallenge, type ServerChallenge } from './read-challenge.ts'

/** The one message that no server does anything for. */
const ping = JSON.stringify({ jsonrpc: '2.0', id: 'warder', method: 'ping' })

/**
 * Asks the server for its challenge, without a token: for a sign-in before anybody needs it. Undefined where it does not refuse, or
 * cannot be reached: discovery has its well-known places, and says better what is wrong.
 */
export async function probeServer(
  { server, userFetch, trace }: ClientParts,
  signal: AbortSignal,
): Promise<ServerChallenge | undefined> {
  try {
    const response = await userFetch(server, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: ping,
      signal: AbortSignal.any([signal, AbortSignal.timeout(10_000)]),
    })
    await response.body?.cancel()
    if (response.status !== 401) {
      trace({
        step: 'challenge',
        outcome: 'absent',
        url: server,
        why: `status ${response.status} without a token`,
      })
      return undefined
    }
    const challenge = readServerChallenge(response.headers)
    trace({ step: 'challenge', outcome: 'done', url: server, data: { status: 401, ...challenge } })
    return challenge
  } catch (error) {
    signal.throwIfAborted()
    trace({ step: 'challenge', outcome: 'failed', url: server, why: String(error) })
    return undefined
  }
}
