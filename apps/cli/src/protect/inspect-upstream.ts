import { inspectHttp, type StdioHost, type UpstreamFacts } from '@warder/bridge'
import { Refusal } from '@warder/protocol'
import { Problem } from '../problem.ts'

/** What the protected server offers, and whether anybody may ask it without a token. */
export interface Inventory extends UpstreamFacts {
  readonly open: boolean
}

/** Asks the server for its tools; an upstream that does not speak MCP is one clear line. */
export async function inspectUpstream(
  name: string,
  upstream: StdioHost | { readonly url: string },
): Promise<Inventory> {
  try {
    return 'url' in upstream
      ? await inspectHttp(upstream.url)
      : { ...(await upstream.inspect()), open: false }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    throw new Problem(`${name} does not answer as an MCP server: ${error.notes.detail ?? error.rule.says}`)
  }
}
