import { rm } from 'node:fs/promises'
import type { Policy, ServerPolicy } from '@warder/policy'
import { messageOf } from '@warder/protocol'
import { plain } from '../../output.ts'
import { createOpenParts } from '../../protect/open-parts.ts'
import { failed, notApplicable, type ProofRow } from '../proof.ts'
import { type Attempt, type Inside, tokenSource } from './attempt.ts'
import { type Case, findCase } from './find-case.ts'
import { openThrowaway } from './open-throwaway.ts'
import { makeProofDirectory } from './proof-directory.ts'
import { signInAttempts } from './sign-in-attempts.ts'
import { tokenAttempts } from './token-attempts.ts'

/** What is proven: one server of a policy. */
export interface Subject {
  readonly policy: Policy
  readonly server: ServerPolicy
  /** Names of the tools that the server lists; without the server, those that the policy spells out. */
  readonly tools: readonly string[]
  /** The foreign issuer, or undefined: ours issues the tokens. */
  readonly issuer: string | undefined
}

/**
 * Tries what somebody with a token, a code or a client of their own could try, on a throwaway instance in this process: the
 * policy is the given one, all else is made for the proof and deleted after it. Each attempt has a twin with nothing wrong, which
 * must get through. What the policy has no case for is not applicable. Once `isOver` says true, nothing more is tried and what
 * there is comes back. Never throws.
 */
export async function proveInside(
  subject: Subject,
  isOver: () => boolean = () => false,
): Promise<readonly ProofRow[]> {
  const attempts = [...tokenAttempts, ...signInAttempts]
  const every = (verdict: Pick<ProofRow, 'outcome' | 'says'>): readonly ProofRow[] =>
    attempts.map((attempt) => row(attempt, verdict))
  const parts = createOpenParts()
  let directory: string | undefined
  try {
    const found = findCase(subject)
    if (found === undefined)
      return every(notApplicable('the policy lets nobody in who could sign in to a throwaway instance'))
    directory = await makeProofDirectory()
    const throwaway = await openThrowaway(subject, found, directory, parts)
    const inside = { throwaway, case: found, token: tokenSource(throwaway, found) }
    const rows: ProofRow[] = []
    for (const attempt of attempts) {
      if (isOver()) break
      rows.push(row(attempt, await judge(attempt, inside, found)))
    }
    return rows
  } catch (error) {
    return every(failed(`the throwaway instance did not start: ${messageOf(error)}`))
  } finally {
    // What cannot be closed any more must not keep the rest from being deleted.
    await parts.closeAll().catch(() => undefined)
    if (directory !== undefined) await rm(directory, { recursive: true, force: true })
  }
}

async function judge(
  attempt: Attempt,
  inside: Inside,
  found: Case,
): Promise<Pick<ProofRow, 'outcome' | 'says'>> {
  if (inside.throwaway.issuing.kind === 'foreign' && signInAttempts.includes(attempt))
    return notApplicable('another authorization server issues the tokens')
  const missing = attempt.missing?.(found)
  if (missing !== undefined) return notApplicable(missing)
  try {
    return await attempt.run(inside)
  } catch (error) {
    return failed(`it could not be tried: ${messageOf(error)}`)
  }
}

function row({ id, title, rule }: Attempt, { outcome, says }: Pick<ProofRow, 'outcome' | 'says'>): ProofRow {
  return { id, title, rule, outcome, says: plain(says).slice(0, 160) }
}
