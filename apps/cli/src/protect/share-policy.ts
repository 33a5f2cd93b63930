import { readPolicy } from '@warder/policy'
import { messageOf } from '@warder/protocol'
import type { PublishedPolicy, Store } from '@warder/store'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { type LivePolicy, restartText, whyRestart } from './live-policy.ts'
import { type PolicyFile, readPolicyText } from './load-policy.ts'

/** What a node needs to agree with the others on one policy. */
export interface Sharing {
  readonly store: Pick<Store, 'policies'>
  /** This node, for people. */
  readonly node: string
  readonly policyFile: string
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly say: (text: string) => void
}

/** The policy that is in force for all nodes. */
export interface SharedPolicy extends PolicyFile {
  readonly number: number
  /** What it is, for people. */
  readonly source: string
}

/** A node without a policy file may write a first one only where no other node has a policy. */
export async function checkNoPolicy({ store, policyFile }: Sharing): Promise<void> {
  const current = await store.policies.current()
  if (current === undefined) return
  throw new Problem(
    `there is no ${policyFile} here, and ${describe(current)}, is in force. Copy the policy file from there: what a node runs is never taken from the database.`,
  )
}

/**
 * The policy that a start begins with: the file of this node, which is published if it never was, or the newer one that
 * another node has published. What a node runs and reaches always comes from its own file.
 */
export async function agreeOnPolicy(
  file: PolicyFile,
  { store, node, policyFile, now, say }: Sharing,
): Promise<SharedPolicy> {
  const { digest } = file.policy
  await store.policies.publish({ digest, text: file.text, node, isEdit: false, now: now() })
  const current = await store.policies.current()
  if (current === undefined) throw new Error('the policy was not stored')
  const { number, text } = current
  if (current.digest === digest)
    return { ...file, number, source: `${policyFile} (${nameOf(current)} of the database)` }
  const policy = readPolicyText(text, nameOf(current))
  const other = whyRestart(file.policy, policy)
  if (other !== undefined) {
    throw new Problem(
      `${describe(current)}, is newer than ${policyFile}, and in it ${other}. Copy the policy file from there: what a node runs is never taken from the database.`,
    )
  }
  say(olderText(policyFile, current))
  return { policy, text, number, source: `${nameOf(current)} of the database` }
}

/** Keeps a node in step with the policy of the database, and the database with the policy file of the node. */
export interface PolicySharing {
  /** Publishes what the file has become. Throws when the database does not take it: nothing has changed then. */
  publish(next: PolicyFile, before: PolicyFile | undefined): Promise<void>
  /** Puts in force what is by now; throws when the database does not answer. */
  adopt(): Promise<void>
}

export function sharePolicy(
  live: LivePolicy,
  { store, node, policyFile, now, say }: Sharing,
  first: Pick<SharedPolicy, 'number' | 'text'>,
): PolicySharing {
  let newest = first
  let ownDigest = ''

  const adoptNow = async (): Promise<void> => {
    const current = await store.policies.current()
    if (current === undefined) return
    // The number alone says nothing about a database that was restored.
    if (current.number === newest.number && current.text === newest.text) return
    newest = current
    const what =
      current.digest === ownDigest
        ? `${policyFile} has changed (${nameOf(current)} of the database)`
        : capital(describe(current))
    try {
      live.adopt(readPolicy(current.text, nameOf(current)), what)
    } catch (error) {
      // Another version of Warder may have published it.
      say(
        `${what}, and cannot be used here:\n${String(error)}\nThe policy before stays in force on this node.`,
      )
    }
  }

  // One after the other: of two at once, the older answer may come last.
  let adopting: Promise<void> = Promise.resolve()
  const adopt = (): Promise<void> => {
    adopting = adopting.catch(() => {}).then(adoptNow)
    return adopting
  }

  return {
    adopt,
    async publish({ policy, text }, before) {
      const restart = whyRestart(live.policy(), policy)
      if (restart !== undefined) return say(restartText(`${policyFile} has changed`, restart))
      const { digest } = policy
      // Going back counts where the file was in force. A file that was behind is only catching up, a step at a time.
      const isEdit = before?.policy.digest === live.policy().digest
      ownDigest = digest
      try {
        const outcome = await store.policies.publish({ digest, text, node, isEdit, now: now() })
        await adopt()
        const current = outcome === 'superseded' ? await store.policies.current() : undefined
        if (current !== undefined) say(olderText(policyFile, current))
      } catch (error) {
        const why = messageOf(error)
        throw new Error(`the database does not take it (${why}). It is tried again.`, { cause: error })
      }
    },
  }
}

function nameOf({ number }: Pick<PublishedPolicy, 'number'>): string {
  return `policy ${number}`
}

function describe(policy: PublishedPolicy): string {
  const at = new Date(policy.at).toISOString().replace('T', ' ').slice(0, 19)
  return `${nameOf(policy)}, which ${plain(policy.node)} published at ${at} UTC`
}

function olderText(policyFile: string, current: PublishedPolicy): string {
  return `${capital(describe(current))}, is newer than ${policyFile} and stays in force. To bring the older one back, change the file; a comment is enough.`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
