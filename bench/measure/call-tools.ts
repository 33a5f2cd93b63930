import { Pool } from 'undici'

/** A tool call as clients of 2025-11-25 send it. */
export const toolCall = (id: number): string =>
  JSON.stringify({
    jsonrpc: '2.0',
    id,
    method: 'tools/call',
    params: { name: 'echo', arguments: { message: 'The quick brown fox jumps over the lazy dog.' } },
  })

export const callHeaders: Readonly<Record<string, string>> = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
}

/** Callers of one MCP endpoint, each on a connection of its own. */
export interface Callers {
  readonly workers: readonly (() => Promise<void>)[]
  close(): Promise<void>
}

/**
 * Makes callers that take the tokens in turn. Each answer must be 200 and hold `echo`, the text that the tool was given, so that
 * a refusal does not count as a fast answer.
 */
export function openCallers(options: {
  readonly url: string
  readonly count: number
  readonly tokens?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}): Callers {
  const { url, count, tokens = [], headers = {} } = options
  const { origin, pathname: path } = new URL(url)
  const pool = new Pool(origin, {
    connections: count,
    pipelining: 1,
    headersTimeout: 20_000,
    bodyTimeout: 20_000,
  })
  // Of one session, so that no two calls in it have the same id.
  let next = 0
  const call = async (): Promise<void> => {
    const id = next++
    const token = tokens[id % tokens.length]
    const { statusCode, body } = await pool.request({
      path,
      method: 'POST',
      headers: {
        ...callHeaders,
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: toolCall(id),
    })
    const text = await body.text()
    if (statusCode !== 200 || !text.includes('quick brown fox'))
      throw new Error(`${url}: ${statusCode} ${text}`)
  }
  return { workers: Array.from({ length: count }, () => call), close: () => pool.close() }
}
