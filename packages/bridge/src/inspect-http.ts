import { Refusal } from '@warder/protocol'
import { innermostWords } from './connect/server-trouble.ts'
import { readPromptName, readTool } from './read-tool.ts'
import { ourself } from './revisions.ts'
import type { InspectedTool, UpstreamFacts } from './upstream-facts.ts'

type Sdk = typeof import('@modelcontextprotocol/client')

const stepMs = 10_000
const wholeMs = 30_000
const maxPages = 100
const maxItems = 10_000

/**
 * Asks an MCP server at a URL what it offers, without any credentials: so what is found is open to anybody who reaches it.
 * Speaks both eras, takes at most half a minute. Throws `Refusal` `upstream.unauthorized` when the server wants credentials,
 * else `upstream.unreachable`, each with the reason as detail. For URLs that the operator gave: it may reach private addresses.
 */
export async function inspectHttp(url: string): Promise<UpstreamFacts & { readonly open: true }> {
  // Loaded here only: who protects a command never needs it, and should not wait for it at each start.
  const sdk = await import('@modelcontextprotocol/client')
  const client = new sdk.Client(
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
    const transport = new sdk.StreamableHTTPClientTransport(new URL(url), { fetch: fetchInTime })
    await client.connect(transport, options)
    const { tools, resources, prompts } = client.getServerCapabilities() ?? {}
    const { name = 'unknown', version = 'unknown', title } = client.getServerVersion() ?? {}
    return {
      tools:
        tools === undefined
          ? []
          : await listAll('tools', (page) => client.listTools(page, options).then(readToolPage)),
      resources: resources !== undefined,
      prompts:
        prompts === undefined
          ? []
          : await listAll('prompts', (page) => client.listPrompts(page, options).then(readPromptPage)),
      serverInfo: { name, version, ...(title === undefined ? {} : { title }) },
      open: true,
    }
  } catch (error) {
    throw toUpstreamRefusal(url, error, sdk)
  } finally {
    await client.close().catch(() => undefined)
  }
}

interface Page<Item> {
  readonly items: readonly Item[]
  readonly nextCursor: string | undefined
}

const readToolPage = (list: {
  tools: readonly unknown[]
  nextCursor?: string | undefined
}): Page<InspectedTool> => ({
  items: list.tools.map(readTool),
  nextCursor: list.nextCursor,
})

const readPromptPage = (list: {
  prompts: readonly unknown[]
  nextCursor?: string | undefined
}): Page<string> => ({
  items: list.prompts.map(readPromptName),
  nextCursor: list.nextCursor,
})

async function listAll<Item>(
  what: string,
  load: (page: { cursor?: string }) => Promise<Page<Item>>,
): Promise<Item[]> {
  const items: Item[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages && items.length < maxItems; page++) {
    const list = await load(cursor === undefined ? {} : { cursor })
    items.push(...list.items)
    cursor = list.nextCursor
    if (cursor === undefined) return items
  }
  throw new Error(`its list of ${what} does not end`)
}

function toUpstreamRefusal(url: string, error: unknown, { SdkHttpError, UnauthorizedError }: Sdk): Refusal {
  const place = new URL(url).origin
  const status = error instanceof SdkHttpError ? error.status : undefined
  if (error instanceof UnauthorizedError || status === 401 || status === 403) {
    const detail = `the server at ${place} wants credentials of its own, which Warder does not have`
    return new Refusal('upstream.unauthorized', { detail, cause: error })
  }
  const detail = `${place}: ${innermostWords(error)}`
  return new Refusal('upstream.unreachable', { detail, cause: error })
}
