import { notePlain } from '../output.ts'
import type { Plan } from './find-targets.ts'
import type { Inventory } from './inspect-upstream.ts'
import { createLivePolicy, type LivePolicy } from './live-policy.ts'
import { writeFirstPolicy } from './load-policy.ts'
import type { OpenParts } from './open-parts.ts'
import type { ProtectOptions } from './read-options.ts'
import { agreeOnPolicy, type Sharing, sharePolicy } from './share-policy.ts'
import { watchPolicy } from './watch-policy.ts'

/** The policy that a start begins with, kept up from here on. */
export interface OpenPolicy extends LivePolicy {
  /** What it is, for people. */
  readonly source: string
  /** The file was written by this start. */
  readonly isNew: boolean
  /** Puts in force what another node has published; without other nodes it does nothing. */
  catchUp(): Promise<void>
}

/** The policy of the file, or of all nodes where there are several; written and published where there is none yet. */
export async function openPolicy(
  {
    plan,
    inventory,
    options,
    sharing,
  }: {
    readonly plan: Plan
    readonly inventory: Inventory
    readonly options: Pick<ProtectOptions, 'issuer' | 'owner'>
    readonly sharing: Sharing | undefined
  },
  parts: OpenParts,
): Promise<OpenPolicy> {
  const { policyFile } = plan
  const file = plan.file ?? writeFirstPolicy(plan, inventory, options)
  const shared = sharing && (await agreeOnPolicy(file, sharing))
  const live = createLivePolicy((shared ?? file).policy, notePlain)
  const nodes = sharing && shared && sharePolicy(live, sharing, shared)
  await parts.add(
    watchPolicy(policyFile, {
      last: file,
      changed: nodes?.publish ?? (async ({ policy }) => live.adopt(policy, `${policyFile} has changed`)),
      say: notePlain,
    }),
  )
  return {
    ...live,
    source: shared?.source ?? policyFile,
    isNew: plan.file === undefined,
    catchUp: nodes?.adopt ?? (async () => {}),
  }
}
