import { existsSync, readFileSync } from 'node:fs'
import { type Policy, PolicyErrors, proposePolicy, readPolicy } from '@warder/policy'
import { Problem } from '../problem.ts'
import { writeOnce } from '../write-once.ts'
import type { Plan } from './find-targets.ts'
import type { Inventory } from './inspect-upstream.ts'
import type { ProtectOptions } from './read-options.ts'

/** A policy and the text that it was read from. */
export interface PolicyFile {
  readonly policy: Policy
  readonly text: string
}

/** Writes a first policy from what the one server offers. */
export function writeFirstPolicy(
  { policyFile, targets: [target] }: Plan,
  inventory: Inventory,
  options: Pick<ProtectOptions, 'issuer' | 'owner'>,
): PolicyFile {
  const text = proposePolicy({
    name: target.name,
    ...target.upstream,
    tools: inventory.tools,
    hasResources: inventory.resources,
    prompts: inventory.prompts,
    ...(options.issuer === undefined ? {} : { owner: options.owner ?? 'the-subject-of-a-user' }),
  } as Parameters<typeof proposePolicy>[0])
  writeOnce(policyFile, text, 0o644)
  const written = loadPolicyFile(policyFile)
  // Another process may have written the file first.
  if (written?.policy.servers.has(target.name) !== true)
    throw new Problem(`${policyFile} does not name ${target.name}.`)
  return written
}

/** The policy file with its text, or undefined while there is none. */
export function loadPolicyFile(file: string): PolicyFile | undefined {
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  return { text, policy: readPolicyText(text, file) }
}

/** Reads the file; all its errors are shown at once, each with line and column. */
export function readPolicyFile(file: string): Policy {
  return readPolicyText(readFileSync(file, 'utf8'), file)
}

/** The same for a text; `source` stands before each line and column. */
export function readPolicyText(text: string, source: string): Policy {
  try {
    return readPolicy(text, source)
  } catch (error) {
    if (!(error instanceof PolicyErrors)) throw error
    const lines = error.problems.map(
      ({ line, column, message }) => `  ${source}:${line}:${column}  ${message}`,
    )
    throw new Problem(`the policy file cannot be used:\n${lines.join('\n')}`)
  }
}
