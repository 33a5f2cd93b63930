import type { OutboundFetch } from '@warder/outbound'
import { Refusal, supportedVersions, toRefusal } from '@warder/protocol'
import { readJson } from './read-json.ts'
import type { Trace, TraceStep } from './trace.ts'

/** What stands at a place where a document may be. */
export type Found =
  | { readonly kind: 'document'; readonly json: unknown }
  /** The server says that there is nothing, or shows a page instead. */
  | { readonly kind: 'absent' }
  /** It cannot be told, or must not be asked. */
  | { readonly kind: 'failed'; readonly refusal: Refusal }

const maxBytes = 262_144
const timeoutMs = 10_000

/**
 * Looks for one metadata document. Every 4xx that says something about the request and whatever is no JSON counts as absent; the type of the content is not looked at,
 * as servers in use get it wrong. Follows no redirect (CL-67).
 */
export async function loadDocument(
  url: string,
  {
    outbound,
    trace,
    step,
  }: { readonly outbound: OutboundFetch; readonly trace: Trace; readonly step: TraceStep },
): Promise<Found> {
  trace({ step, outcome: 'tried', url })
  try {
    const answer = await outbound(url, {
      accept: 'application/json',
      statuses: 'any',
      maxBytes,
      timeoutMs,
      // Revision 2025-03-26 asks for it (O03-06); the others do not mind.
      headers: { 'mcp-protocol-version': supportedVersions[0] ?? '' },
    })
    const json = answer.status === 200 ? readJson(answer.body) : undefined
    if (json !== undefined) return { kind: 'document', json }
    if (answer.status === 200 || isAbsent(answer.status)) {
      trace({
        step,
        outcome: 'absent',
        url,
        why: answer.status === 200 ? 'no JSON' : `status ${answer.status}`,
      })
      return { kind: 'absent' }
    }
    return failed(new Refusal('outbound.status', { detail: `status ${answer.status}` }))
  } catch (error) {
    return failed(toRefusal(error))
  }

  function failed(refusal: Refusal): Found {
    trace({ step, outcome: 'failed', url, why: refusal.message, refusal: refusal.reason })
    return { kind: 'failed', refusal }
  }
}

/** Not what only says that the moment is wrong: 408, 425 and 429. */
function isAbsent(status: number): boolean {
  return status >= 400 && status < 500 && ![408, 425, 429].includes(status)
}
