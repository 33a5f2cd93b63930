import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  NodeStreamableHTTPServerTransport,
  toNodeHandler,
  toWebRequest,
} from '@modelcontextprotocol/node'
import { createMcpHandler, isInitializeRequest, isLegacyRequest } from '@modelcontextprotocol/server'
import { makeServer } from './make-server.ts'
import type { Changes } from './plain-tools.ts'

/**
 * What the conformance suite's server scenarios need, on the official SDK alone: stateless for 2026-07-28, with sessions for the
 * revisions before. It knows nothing of authorization; Warder is what may stand in front of it.
 */
export async function startEverythingServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const changes: Changes = {
    toolsChanged: () => modern.notify.toolsChanged(),
    promptsChanged: () => modern.notify.promptsChanged(),
  }
  const modern = createMcpHandler(() => makeServer('modern', changes), { legacy: 'reject' })
  const answerModern = toNodeHandler(modern)
  const sessions = new Map<string, NodeStreamableHTTPServerTransport>()

  const openSession = async (): Promise<NodeStreamableHTTPServerTransport> => {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    })
    await makeServer('legacy', changes).connect(transport)
    return transport
  }

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    if (!localhostHostValidation()(req, res) || !localhostOriginValidation()(req, res)) return
    const body = await readJson(req)
    if (!(await isLegacyRequest(await toWebRequest(req as NodeIncomingMessageLike, body), body)))
      return answerModern(req as NodeIncomingMessageLike, res, body)
    const session = sessions.get(String(req.headers['mcp-session-id']))
    if (session !== undefined) return session.handleRequest(req, res, body)
    if (isInitializeRequest(body)) return (await openSession()).handleRequest(req, res, body)
    const error = { code: -32001, message: 'Session not found' }
    res.writeHead(404, { 'content-type': 'application/json' })
    res.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }))
  }

  const server = createServer((req, res) => {
    answer(req, res).catch((error: unknown) => {
      console.error(error)
      res.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async stop() {
      for (const session of sessions.values()) await session.close()
      await modern.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  if (req.method !== 'POST') return undefined
  let body = ''
  for await (const chunk of req.setEncoding('utf8')) body += chunk
  return JSON.parse(body)
}
