import type { Policy } from '@warder/policy'
import { print } from '../output.ts'
import { insideSummary } from '../prove/inside/inside-summary.ts'
import { proveInside } from '../prove/inside/prove-inside.ts'
import type { ProofRow } from '../prove/proof.ts'
import type { OpenParts } from './open-parts.ts'
import type { OpenServer } from './open-server.ts'

/**
 * Proves the live policy on throwaway instances, one server after the other, and prints a line about each; with `json` one
 * object about all. It comes after the first screen, since nobody has to wait for it. Prints nothing once `parts` are closed.
 */
export async function showInsideProof(
  servers: readonly Pick<OpenServer, 'name' | 'inventory'>[],
  options: {
    readonly policy: Policy
    readonly issuer: string | undefined
    readonly json: boolean
    readonly parts: OpenParts
  },
): Promise<void> {
  const { policy, issuer, json, parts } = options
  let isOver = false
  await parts.add(() => {
    isOver = true
  })
  const proven: { readonly name: string; readonly rows: readonly ProofRow[] }[] = []
  for (const { name, inventory } of servers) {
    const server = policy.servers.get(name)
    if (server === undefined || isOver) continue
    const tools = inventory.tools.map((tool) => tool.name)
    const rows = await proveInside({ policy, server, tools, issuer }, () => isOver)
    if (isOver) return
    proven.push({ name, rows })
    if (!json) print(insideSummary(name, rows))
  }
  if (json) print(JSON.stringify({ insideProof: proven }))
}
