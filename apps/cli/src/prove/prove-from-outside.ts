import type { Network } from '@warder/outbound'
import { messageOf, Refusal } from '@warder/protocol'
import { plain } from '../output.ts'
import { authorizationServerChecks } from './authorization-server-checks.ts'
import { doorChecks } from './door-checks.ts'
import { type Check, discover, type Probe } from './probe.ts'
import { failed, notApplicable, type ProofRow, warning } from './proof.ts'

/**
 * Tries what a stranger can try at an MCP endpoint, ours or not: without any credentials, with worthless ones, and by
 * reading its metadata. Changes nothing there. What needs a real token is not tried here.
 */
export async function proveFromOutside(url: string, network: Network): Promise<readonly ProofRow[]> {
  const probe = await discover(url, network)
  const rows: ProofRow[] = []
  for (const check of [...doorChecks, ...authorizationServerChecks]) rows.push(await runCheck(check, probe))
  return rows
}

async function runCheck(check: Check, probe: Probe): Promise<ProofRow> {
  const { id, title, rule } = check
  try {
    const { outcome, says } = await check.run(probe)
    return { id, title, rule, outcome, says: shortened(says) }
  } catch (error) {
    if (error instanceof Refusal && error.reason === 'outbound.url')
      return { id, title, rule, ...notApplicable(shortened(`not tried: ${error.notes.detail ?? 'its URL'}`)) }
    // A closed connection is a refusal as well, but not one that a client can act on.
    const verdict = check.mustAnswer === true ? failed : warning
    return {
      id,
      title,
      rule,
      ...verdict(shortened(`no answer: ${messageOf(error)}`)),
    }
  }
}

function shortened(text: string): string {
  const clean = plain(text)
  return clean.length > 160 ? `${clean.slice(0, 159)}…` : clean
}
