import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { Client as OldClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as OldTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect } from 'vitest'

/** Looks again until it is so; a busy machine may take its time. */
export const eventually = <T>(look: () => T): ReturnType<typeof expect.poll<T>> =>
  expect.poll(look, { timeout: 4000 })

export interface Who {
  readonly owner?: string
  readonly client?: string
}

export const whoHeaders = ({ owner = 'alice', client = 'client-1' }: Who): Record<string, string> => ({
  'x-owner': owner,
  'x-client': client,
})

/** The official client 2.4; `pin` 2026-07-28 or the handshake of 2025-11-25. */
export async function connect(url: string, era: 'stateless' | 'session', who: Who = {}): Promise<Client> {
  const mode = era === 'stateless' ? { pin: '2026-07-28' } : ('legacy' as const)
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } })
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: whoHeaders(who) } }),
  )
  return client
}

/** The official client 1.32. */
export async function connectOld(
  url: string,
  who: Who = {},
): Promise<{ client: OldClient; transport: OldTransport }> {
  const client = new OldClient({ name: 'test', version: '1' })
  const transport = new OldTransport(new URL(url), { requestInit: { headers: whoHeaders(who) } })
  await client.connect(transport as never)
  return { client, transport }
}

export const envelope: Readonly<Record<string, unknown>> = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
}

interface Post extends Who {
  readonly method?: string
  readonly params?: Readonly<Record<string, unknown>>
  readonly id?: string | number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One POST as it stands on the wire. */
export function post(url: string, request: Post): Promise<Response> {
  const { method, params = {}, id = 1 } = request
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...whoHeaders(request),
      ...request.headers,
    },
    body: JSON.stringify(request.body ?? { jsonrpc: '2.0', id, method, params }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
}

/** One POST under 2026-07-28. */
export function postStateless(url: string, request: Post): Promise<Response> {
  const meta = request.params?.['_meta'] as object | undefined
  const params = { ...request.params, _meta: { ...envelope, ...meta } }
  return post(url, {
    ...request,
    params,
    headers: { 'mcp-protocol-version': '2026-07-28', ...request.headers },
  })
}

// biome-ignore lint/suspicious/noExplicitAny: what comes back is what the test looks at
export type Wire = any

/** The messages of an event stream, one after the other. */
export async function* events(response: Response): AsyncGenerator<Wire> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = block.split('\n').filter((line) => line.startsWith('data: '))
      if (data.length > 0) yield JSON.parse(data.map((line) => line.slice(6)).join('\n'))
    }
  }
}

/** All messages of an answer, whatever its form. */
export async function messages(response: Response): Promise<Wire[]> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return [await response.json()]
  const all: Wire[] = []
  for await (const message of events(response)) all.push(message)
  return all
}

/** Calls a tool under 2026-07-28 and gives its text, read as JSON where it is. */
export async function callTool(url: string, name: string, args: object = {}, who: Who = {}): Promise<Wire> {
  const response = await postStateless(url, {
    method: 'tools/call',
    params: { name, arguments: args },
    ...who,
  })
  const last = (await messages(response)).at(-1)
  if (last.error !== undefined) throw new Error(`${last.error.code} ${last.error.message}`)
  const text = last.result.content[0].text
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Opens a session under 2025-11-25; gives the headers of all later requests. */
export async function openSession(
  url: string,
  who: Who = {},
  version = '2025-11-25',
): Promise<Record<string, string>> {
  const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 'test', version: '1' } }
  const response = await post(url, { method: 'initialize', params, ...who })
  if (response.status !== 200) throw new Error(`initialize: ${response.status}`)
  await response.json()
  return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '', 'mcp-protocol-version': version }
}
