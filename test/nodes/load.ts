import { randomBytes } from 'node:crypto'
import type { Tokens } from '../protect/scripted-sign-in.ts'
import { answeredBy, type Balancer } from './balancer.ts'

/** A tool call that was answered with a result. */
export interface AnsweredCall {
  /** As it stands in the log of the node that decided it. */
  readonly traceparent: string
  readonly port: number
}

/** What one client saw. */
export interface Seen {
  readonly calls: AnsweredCall[]
  /** Every refresh token that was presented, with each successor that came back for it. */
  readonly successors: Map<string, Set<string>>
  /** Ports of the nodes that answered a refresh with tokens. */
  readonly refreshedBy: number[]
  /** Answers that no client should ever get here. */
  readonly wrong: string[]
}

/** A client that calls and refreshes in turn until it is told to end. */
export interface LoadClient {
  readonly seen: Seen
  readonly done: Promise<void>
  /** Lets it finish what it does. */
  end(): void
  /** Its newest tokens. */
  tokens(): Tokens
}

/**
 * Works through the balancer, whatever node that picks. Each refresh token is presented twice at the same moment, and again
 * after an answer that did not come, as a client does that cannot know whether the server had heard it.
 */
export function startClient(
  { balancer, resource }: { readonly balancer: Balancer; readonly resource: string },
  { clientId, first }: { readonly clientId: string; readonly first: Tokens },
): LoadClient {
  const seen: Seen = { calls: [], successors: new Map(), refreshedBy: [], wrong: [] }
  let tokens = first
  let isOver = false

  const callOnce = async (): Promise<void> => {
    const traceparent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`
    const answer = await callEcho(resource, tokens.access_token, traceparent)
    if (answer === undefined || answer.status === 502 || answer.status === 503) return
    const text = await answer.text().catch(() => undefined)
    if (text === undefined) return
    if (answer.status !== 200 || !text.includes('Echo: load'))
      seen.wrong.push(`call: ${answer.status} ${text}`)
    else seen.calls.push({ traceparent, port: portOf(answer) })
  }

  const present = async (token: string): Promise<Tokens | undefined> => {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: token,
    })
    const answer = await fetch(`${balancer.url}/token`, { method: 'POST', body }).catch(() => undefined)
    const text = await answer?.text().catch(() => undefined)
    if (answer === undefined || text === undefined || answer.status === 502 || answer.status === 503) return
    if (answer.status !== 200) return void seen.wrong.push(`refresh: ${answer.status} ${text}`)
    const next = JSON.parse(text) as Tokens
    const known = seen.successors.get(token) ?? new Set()
    seen.successors.set(token, known.add(next.refresh_token))
    seen.refreshedBy.push(portOf(answer))
    return next
  }

  const work = async (): Promise<void> => {
    while (!isOver && seen.wrong.length === 0) {
      await callOnce()
      const token = tokens.refresh_token
      const answers = await Promise.all([present(token), present(token)])
      tokens = answers.find((answer) => answer !== undefined) ?? tokens
    }
  }
  return {
    seen,
    done: work(),
    end() {
      isOver = true
    },
    tokens: () => tokens,
  }
}

function callEcho(endpoint: string, token: string, traceparent: string): Promise<Response | undefined> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'load', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  const params = { name: 'echo', arguments: { message: 'load' }, _meta: meta }
  return fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'echo',
      traceparent,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  }).catch(() => undefined)
}

function portOf(answer: Response): number {
  return Number(answer.headers.get(answeredBy))
}
