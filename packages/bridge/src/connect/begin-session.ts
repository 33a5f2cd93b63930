import { isJsonObject, type JsonObject, type McpMessage } from '@warder/protocol'
import type { Outcome } from '../child-peer.ts'
import { knownSessionVersions, newestSessionVersion } from '../revisions.ts'
import type { NewsTaker, OpenRequests } from './open-requests.ts'
import { readAnswer, readTrouble } from './read-answer.ts'
import type { HostFacts, ServerFacts } from './server.ts'
import { ServerTrouble } from './server-trouble.ts'
import type { SessionHeaders, SessionWire } from './session-wire.ts'
import type { UserFetch } from './user-fetch.ts'

/** What was agreed with a server. */
export interface Session {
  readonly headers: SessionHeaders
  readonly hasId: boolean
  readonly facts: ServerFacts
}

/** What it takes to begin a session. */
export interface SessionBeginning {
  readonly wire: SessionWire
  readonly fetch: UserFetch
  readonly host: HostFacts
  readonly requests: OpenRequests
  readonly onNews: NewsTaker
  readonly signal: AbortSignal
}

/** Says `initialize` and that it was heard. Throws `ServerTrouble` when the server does not answer as one that has sessions. */
export async function beginSession(beginning: SessionBeginning): Promise<Session> {
  const { wire, fetch, host, signal } = beginning
  const { version, capabilities, clientInfo } = host
  const protocolVersion = knownSessionVersions.includes(version) ? version : newestSessionVersion
  const id = beginning.requests.nextId()
  const params = { protocolVersion, capabilities, clientInfo }
  const response = await wire.post(fetch, {}, { jsonrpc: '2.0', id, method: 'initialize', params }, signal)
  if (!response.ok) throw await readTrouble(response)
  const agreed = readInitialization(await readGreeting(response, id, beginning))
  const sessionId = response.headers.get('mcp-session-id')
  const headers = {
    'mcp-protocol-version': agreed.version,
    ...(sessionId === null ? {} : { 'mcp-session-id': sessionId }),
  }
  await wire.tell(fetch, headers, { jsonrpc: '2.0', method: 'notifications/initialized' }, signal)
  return { headers, hasId: sessionId !== null, facts: agreed.facts }
}

/** The answer itself: the stream that brings it may stay open. */
function readGreeting(
  response: Response,
  id: number,
  { requests, onNews }: SessionBeginning,
): Promise<Outcome | undefined> {
  return new Promise((resolve, reject) => {
    requests.add(id, resolve)
    const onMessage = (message: McpMessage): void | Promise<void> => requests.take(message, onNews)
    readAnswer(response, { onMessage, onGarbage: () => undefined })
      .then(() => resolve(undefined), reject)
      .finally(() => requests.forget(id))
  })
}

function readInitialization(outcome: Outcome | undefined): { version: string; facts: ServerFacts } {
  if (outcome?.kind === 'error') {
    throw new ServerTrouble('answer', `it refused to begin: ${outcome.error.message}`, {
      wire: outcome.error,
    })
  }
  if (outcome?.kind !== 'result') throw new ServerTrouble('answer', 'it did not answer the greeting')
  const { protocolVersion, capabilities, serverInfo, instructions } = outcome.result
  if (typeof protocolVersion !== 'string' || !knownSessionVersions.includes(protocolVersion)) {
    throw new ServerTrouble('answer', 'it speaks a revision of MCP that is not known here')
  }
  return {
    version: protocolVersion,
    facts: {
      era: 'session',
      capabilities: isJsonObject(capabilities) ? capabilities : {},
      serverInfo: readInfo(serverInfo),
      ...(typeof instructions === 'string' ? { instructions } : {}),
    },
  }
}

/** Name and version must be there for hosts that check it; the rest stays. */
export function readInfo(info: unknown): JsonObject {
  const given = isJsonObject(info) ? info : {}
  const name = typeof given['name'] === 'string' ? given['name'] : 'unknown'
  const version = typeof given['version'] === 'string' ? given['version'] : 'unknown'
  return { ...given, name, version }
}
