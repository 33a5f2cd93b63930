import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type NodeIncomingMessageLike, toNodeHandler } from '@modelcontextprotocol/node'
import { InMemoryEventStore } from '@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js'
import { McpServer as OldServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  ListRootsResultSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  UrlElicitationRequiredError,
} from '@modelcontextprotocol/sdk/types.js'
import {
  acceptedContent,
  createMcpHandler,
  fromJsonSchema,
  inputRequired,
  McpServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

/** One HTTP request as it came. */
export interface Seen {
  readonly method: string
  readonly headers: IncomingHttpHeaders
  // biome-ignore lint/suspicious/noExplicitAny: what comes is what the test looks at
  readonly body: any
}

/** An MCP server over HTTP. */
export interface Remote {
  readonly url: string
  readonly seen: Seen[]
  /** The methods of all messages that came, in order. */
  methods(): string[]
  close(): Promise<void>
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void> | void

/** Any answers at all. */
export async function startRemote(answer: Answer): Promise<Remote> {
  const seen: Seen[] = []
  const work = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const chunk of request) text += chunk
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    seen.push({ method: request.method ?? '', headers: request.headers, body })
    await answer(request, response, body)
  }
  const server = createServer((request, response) => {
    work(request, response).catch((error: unknown) => response.destroy(error as Error))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    seen,
    methods: () => seen.map(({ method, body }) => body?.method ?? method),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export const sendJson = (
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] })

/** A server with sessions, made with the official SDK 1.32. */
export interface SessionRemote extends Remote {
  /** The server forgets all sessions. */
  forget(): void
  sessions(): number
  readonly cancelled: unknown[]
}

export async function startSessionRemote(options: { resumable?: boolean } = {}): Promise<SessionRemote> {
  const sessions = new Map<string, StreamableHTTPServerTransport>()
  const cancelled: unknown[] = []

  const open = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
      ...(options.resumable ? { eventStore: new InMemoryEventStore(), retryInterval: 50 } : {}),
    })
    await makeOldServer(cancelled).connect(transport as never)
    return transport
  }
  const remote = await startRemote(async (request, response, body) => {
    const id = request.headers['mcp-session-id']
    const session = sessions.get(String(id))
    if (session !== undefined) return session.handleRequest(request, response, body)
    if ((body as { method?: string } | undefined)?.method === 'initialize')
      return (await open()).handleRequest(request, response, body)
    if (id === undefined)
      return sendJson(
        response,
        { jsonrpc: '2.0', id: null, error: { code: -32000, message: 'Bad Request' } },
        400,
      )
    sendJson(
      response,
      { jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } },
      404,
    )
  })
  return {
    ...remote,
    cancelled,
    forget: () => sessions.clear(),
    sessions: () => sessions.size,
    close: async () => {
      for (const session of sessions.values()) await session.close()
      await remote.close()
    },
  }
}

function makeOldServer(cancelled: unknown[]): OldServer {
  const server = new OldServer(
    { name: 'old', version: '1.0.0' },
    {
      instructions: 'Be kind to the old one.',
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
      },
    },
  )
  server.registerTool('echo', { inputSchema: { text: z.string() } }, async ({ text: said }) => text(said))
  server.registerTool('delete_all', {}, async () => text('deleted'))
  server.registerTool('ask-name', {}, async () => {
    const answer = await server.server.elicitInput({
      message: 'Who are you?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    })
    return text(`${answer.action} ${JSON.stringify(answer.content)}`)
  })
  server.registerTool('ask-related', {}, async (extra) => {
    const roots = await extra.sendRequest({ method: 'roots/list' }, ListRootsResultSchema)
    return text(roots.roots.map(({ uri }) => uri).join(' '))
  })
  server.registerTool('slow', { inputSchema: { ms: z.number() } }, async ({ ms }, extra) => {
    const progressToken = extra._meta?.progressToken
    if (progressToken !== undefined)
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress: 1 },
      })
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      extra.signal.addEventListener('abort', () => {
        cancelled.push(extra.requestId)
        clearTimeout(timer)
        resolve()
      })
    })
    return text('done')
  })
  server.registerTool('hang-up', {}, async (extra) => {
    extra.closeSSEStream?.()
    await new Promise((resolve) => setTimeout(resolve, 100))
    return text('came back')
  })
  server.registerTool('ask-url', {}, async () => {
    throw new UrlElicitationRequiredError([
      { mode: 'url', message: 'Pay', url: 'https://xn--pypal-4ve.example/pay?a=1#b', elicitationId: 'one' },
    ])
  })
  server.registerTool('touch', {}, async () => {
    server.sendToolListChanged()
    await server.server.sendResourceUpdated({ uri: 'old:///a' })
    return text('touched')
  })
  server.registerResource('a', 'old:///a', {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'a' }] }))
  server.server.setRequestHandler(SubscribeRequestSchema, async () => ({}))
  server.server.setRequestHandler(UnsubscribeRequestSchema, async () => ({}))
  return server
}

/** A server of 2026-07-28 and nothing older, made with the official SDK 2.4. */
export async function startStatelessRemote(): Promise<Remote> {
  const handler = createMcpHandler(() => makeNewServer(handler.notify), { legacy: 'reject' })
  const answer = toNodeHandler(handler)
  const remote = await startRemote((request, response, body) =>
    answer(request as NodeIncomingMessageLike, response, body),
  )
  return {
    ...remote,
    close: async () => {
      await handler.close()
      await remote.close()
    },
  }
}

function makeNewServer(notify: { toolsChanged(): void; resourceUpdated(uri: string): void }): McpServer {
  const server = new McpServer(
    { name: 'new', version: '2.0.0' },
    {
      instructions: 'Be kind to the new one.',
      capabilities: {
        tools: { listChanged: true },
        resources: { subscribe: true, listChanged: true },
        logging: {},
      },
    },
  )
  const schema = (properties: Record<string, object>) =>
    fromJsonSchema<Record<string, never>>({ type: 'object', properties })
  server.registerTool('echo', { inputSchema: schema({ text: { type: 'string' } }) }, async ({ text: said }) =>
    text(String(said)),
  )
  server.registerTool('delete_all', {}, async () => text('deleted'))
  server.registerTool(
    'in-header',
    { inputSchema: schema({ region: { type: 'string', 'x-mcp-header': 'Region' } }) },
    async ({ region }) => text(String(region)),
  )
  server.registerTool(
    'bad-header',
    { inputSchema: schema({ amount: { type: 'number', 'x-mcp-header': 'Amount' } }) },
    async () => text('never'),
  )
  server.registerTool('ask-name', {}, async (context) => {
    const answer = acceptedContent<{ name?: string }>(context.mcpReq.inputResponses, 'who')
    if (answer !== undefined) return text(`accept ${JSON.stringify(answer)}`)
    const who = inputRequired.elicit({
      message: 'Who are you?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    })
    return inputRequired({ inputRequests: { who } })
  })
  server.registerTool('ask-url', {}, async () =>
    inputRequired({
      inputRequests: {
        page: inputRequired.elicitUrl({
          message: 'Pay',
          url: 'https://xn--pypal-4ve.example/pay?a=1#b',
        } as never),
      },
    }),
  )
  server.registerTool(
    'slow',
    { inputSchema: schema({ ms: { type: 'integer' } }) },
    async ({ ms }, context) => {
      const progressToken = context.mcpReq._meta?.progressToken
      if (progressToken !== undefined)
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: 1 },
        })
      await new Promise((resolve) => setTimeout(resolve, Number(ms)))
      return text('done')
    },
  )
  server.registerTool('touch', {}, async () => {
    notify.toolsChanged()
    notify.resourceUpdated('new:///a')
    return text('touched')
  })
  server.registerResource('a', 'new:///a', {}, async (uri) => ({ contents: [{ uri: uri.href, text: 'a' }] }))
  return server
}
