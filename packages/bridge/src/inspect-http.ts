import {
  Client,
  SdkHttpError,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from '@modelcontextprotocol/client'
import { Refusal } from '@warder/protocol'
import { readTool } from './read-tool.ts'
import { ourself } from './revisions.ts'
import type { InspectedTool, UpstreamFacts } from './upstream-facts.ts'

const stepMs = 10_000
const wholeMs = 30_000
const maxPages = 100
const maxTools = 10_000

/**
 * Asks an MCP server at a URL what it offers, without any credentials: so what is found is open to anybody who reaches it.
 * Speaks both eras, takes at most half a minute. Throws `Refusal` `upstream.unauthorized` when the server wants credentials,
 * else `upstream.unreachable`, each with the reason as detail. For URLs that the operator gave: it may reach private addresses.
 */
export async function inspectHttp(url: string): Promise<UpstreamFacts & { readonly open: true }> {
  const client = new Client(
    { name: String(ourself['name']), version: String(ourself['version']) },
    { versionNegotiation: { mode: 'auto' } },
  )
  const deadline = AbortSignal.timeout(wholeMs)
  const options = { timeout: stepMs, signal: deadline }
  const fetchInTime: typeof fetch = (target, init) =>
    fetch(target, {
      ...init,
      signal: AbortSignal.any([deadline, ...(init?.signal ? [init.signal] : [])]),
    })
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: fetchInTime }), options)
    const { tools, resources, prompts } = client.getServerCapabilities() ?? {}
    const { name = 'unknown', version = 'unknown', title } = client.getServerVersion() ?? {}
    return {
      tools: tools === undefined ? [] : await listTools(client, options),
      resources: resources !== undefined,
      prompts: prompts !== undefined,
      serverInfo: { name, version, ...(title === undefined ? {} : { title }) },
      open: true,
    }
  } catch (error) {
    throw toUpstreamRefusal(url, error)
  } finally {
    await client.close().catch(() => undefined)
  }
}

async function listTools(
  client: Client,
  options: { timeout: number; signal: AbortSignal },
): Promise<InspectedTool[]> {
  const tools: InspectedTool[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages && tools.length < maxTools; page++) {
    const list = await client.listTools(cursor === undefined ? {} : { cursor }, options)
    tools.push(...list.tools.map(readTool))
    cursor = list.nextCursor
    if (cursor === undefined) return tools
  }
  throw new Error('its list of tools does not end')
}

function toUpstreamRefusal(url: string, error: unknown): Refusal {
  const place = new URL(url).origin
  const status = error instanceof SdkHttpError ? error.status : undefined
  if (error instanceof UnauthorizedError || status === 401 || status === 403) {
    const detail = `the server at ${place} wants credentials of its own, which Warder does not have`
    return new Refusal('upstream.unauthorized', { detail, cause: error })
  }
  const detail = `${place} does not answer as an MCP server: ${readCause(error)}`
  return new Refusal('upstream.unreachable', { detail, cause: error })
}

/** The innermost cause says what happened ("connect ECONNREFUSED …"); the outer ones say only that something did. */
function readCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? readCause(error.cause) : error.message
}
