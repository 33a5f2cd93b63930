import { comparePolicies, type Policy, policyWarnings } from '@warder/policy'

/** The policy in force. */
export interface LivePolicy {
  policy(): Policy
  /**
   * Puts another one in force for the next message and says what that changed; `what` begins the sentence. One that needs a
   * restart changes nothing.
   */
  adopt(next: Policy, what: string): void
  /** Calls back after a change that takes something from anybody. */
  onNarrowed(listener: () => void): void
}

export function createLivePolicy(first: Policy, say: (text: string) => void): LivePolicy {
  let policy = first
  const listeners: (() => void)[] = []
  return {
    policy: () => policy,
    adopt(next, what) {
      if (next.digest === policy.digest) return
      const restart = whyRestart(policy, next)
      if (restart !== undefined) return say(restartText(what, restart))
      const { wider, narrower } = comparePolicies(policy, next)
      const known = new Set(policyWarnings(policy))
      policy = next
      say(reportOf(what, wider, narrower))
      for (const warning of policyWarnings(next)) if (!known.has(warning)) say(`Warning: ${warning}`)
      if (narrower.length > 0) for (const listener of listeners) listener()
    },
    onNarrowed: (listener) => void listeners.push(listener),
  }
}

/** Why a changed policy does not count yet. */
export const restartText = (what: string, restart: string): string =>
  `${what}: ${restart}. That needs a restart; until then the policy before stays in force.`

/** What runs was started for these servers; another command, address or variable reaches it only by a new start. */
export function whyRestart(before: Policy, after: Policy): string | undefined {
  const [old, now] = [[...before.servers.keys()], [...after.servers.keys()]]
  const gone = old.filter((name) => !now.includes(name))
  const fresh = now.filter((name) => !old.includes(name))
  if (gone.length > 0) return `the server ${gone.join(', ')} is gone or has another name`
  if (fresh.length > 0) return `the server ${fresh.join(', ')} is new`
  for (const [name, server] of after.servers) {
    const other = before.servers.get(name)
    for (const key of ['run', 'url', 'env'] as const) {
      if (JSON.stringify(server[key]) !== JSON.stringify(other?.[key])) return `${key} of ${name} is another`
    }
  }
  return undefined
}

function reportOf(what: string, wider: readonly string[], narrower: readonly string[]): string {
  const lines = [
    ...wider.map((text) => `  wider:    ${text}`),
    ...narrower.map((text) => `  narrower: ${text}`),
  ]
  if (lines.length === 0) return `${what}; nobody may do more or less than before.`
  return [`${what}, and is in force:`, ...lines].join('\n')
}
