import { readFileSync } from 'node:fs'
import { type Policy, PolicyErrors, proposePolicy, readPolicy } from '@warder/policy'
import { Problem } from '../problem.ts'
import { writeOnce } from '../write-once.ts'
import type { Plan } from './find-targets.ts'
import type { Inventory } from './inspect-upstream.ts'
import type { ProtectOptions } from './read-options.ts'

/** The policy that a start begins with. */
export interface LoadedPolicy {
  readonly policy: Policy
  /** The file was written by this start. */
  readonly isNew: boolean
}

/** Writes a first policy from what the one server offers, unless the plan was read from one. */
export function loadOrProposePolicy(
  { policy, policyFile, targets: [target] }: Plan,
  inventory: Inventory,
  options: Pick<ProtectOptions, 'issuer' | 'owner'>,
): LoadedPolicy {
  if (policy !== undefined) return { policy, isNew: false }
  const text = proposePolicy({
    name: target.name,
    ...target.upstream,
    tools: inventory.tools,
    hasResources: inventory.resources,
    prompts: inventory.prompts,
    ...(options.issuer === undefined ? {} : { owner: options.owner ?? 'the-subject-of-a-user' }),
  } as Parameters<typeof proposePolicy>[0])
  writeOnce(policyFile, text, 0o644)
  const written = readPolicyFile(policyFile)
  // Another process may have written the file first.
  if (!written.servers.has(target.name)) throw new Problem(`${policyFile} does not name ${target.name}.`)
  return { policy: written, isNew: true }
}

/** Reads the file; all its errors are shown at once, each with line and column. */
export function readPolicyFile(file: string): Policy {
  try {
    return readPolicy(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (!(error instanceof PolicyErrors)) throw error
    const lines = error.problems.map(({ line, column, message }) => `  ${file}:${line}:${column}  ${message}`)
    throw new Problem(`the policy file cannot be used:\n${lines.join('\n')}`)
  }
}
