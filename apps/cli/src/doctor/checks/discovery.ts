import { type Discovery, discover, readServerChallenge, type TraceEvent } from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'
import type { Knock } from '../../knock.ts'
import { describeRefusal } from '../describe-refusal.ts'
import type { Finding, Outcome, Tell } from '../finding.ts'
import { findQuirks } from '../quirks.ts'

const group = 'discovery'

const outcomes: Readonly<Record<TraceEvent['outcome'], Outcome>> = {
  tried: 'note',
  absent: 'note',
  refused: 'note',
  failed: 'note',
  chosen: 'good',
  done: 'good',
}

/** Finds out who issues tokens, and tells every step: what was tried, chosen, refused, and why. */
export async function checkDiscovery(
  server: string,
  { outbound, metadataUrl }: { readonly outbound: OutboundFetch; readonly metadataUrl?: string | undefined },
  door: Knock,
  tell: Tell,
): Promise<Discovery | undefined> {
  const challenge = door.status === 401 ? readServerChallenge(door.headers) : undefined
  try {
    const discovery = await discover({
      server,
      challenge,
      outbound,
      metadataUrl,
      // What was tried is told again with what came of it.
      trace: (event) => event.outcome !== 'tried' && tell(findingOf(event)),
    })
    const { issuer, resource, legacy } = discovery
    tell({ group, check: 'result', outcome: 'good', found: `${issuer} issues tokens for ${resource}` })
    if (legacy !== undefined)
      tell({
        group,
        check: 'revision',
        outcome: 'note',
        found: `the server has no protected resource metadata: taken for one of revision ${legacy}`,
        fix: 'its operator should publish protected resource metadata (RFC 9728); warder protect does',
      })
    for (const { name, what, fix } of findQuirks(issuer)) {
      tell({ group, check: 'known behaviour', outcome: 'note', found: `${name} ${what}`, fix })
    }
    return discovery
  } catch (error) {
    tell({ group, check: 'result', outcome: 'bad', ...describeRefusal(error) })
    return undefined
  }
}

function findingOf({ step, outcome, url, why, refusal }: TraceEvent): Finding {
  const reason = why ?? refusal
  const found = [outcome, url, reason === undefined ? undefined : `(${reason})`].filter(
    (part) => part !== undefined,
  )
  return { group, check: step, outcome: outcomes[outcome], found: found.join(' ') }
}
