import { randomBytes } from 'node:crypto'
import type { Session } from './sessions.ts'

/** What came of one tool call. */
export interface Asked {
  readonly trace: string
  /** 0: the connection broke. */
  readonly status: number
  readonly body: string
}

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'soak', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
}

/** Calls a tool with a text that names the user and the call, under a trace id of its own. */
export async function ask(session: Session, tool: string, signal?: AbortSignal): Promise<Asked> {
  const trace = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
  const params = { name: tool, arguments: { text: textOf(session, trace) }, _meta: meta }
  try {
    const answer = await fetch(session.resource, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${session.tokens.access_token}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': tool,
        traceparent: trace,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      signal: signal ?? AbortSignal.timeout(60_000),
    })
    return { trace, status: answer.status, body: await answer.text() }
  } catch {
    return { trace, status: 0, body: '' }
  }
}

/** What the server must say back, and nothing of anybody else. */
export function textOf({ user }: Session, trace: string): string {
  return `${user} ${trace}`
}
