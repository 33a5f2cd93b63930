import { readFile, stat } from 'node:fs/promises'
import { comparePolicies, type Policy, PolicyErrors, policyWarnings, readPolicy } from '@warder/policy'

/** The policy in force, kept up with its file. */
export interface LivePolicy {
  /** The last good one. */
  policy(): Policy
  /** Calls back after a change that takes something from anybody. */
  onNarrowed(listener: () => void): void
  stop(): Promise<void>
}

const pollMs = 500

/**
 * Polls the policy file and puts a changed one in force for the next message. The file is read once it has stood still for a
 * poll, so that one which is still being written is left alone. A file that is broken, gone, or names other servers or commands
 * than those that run changes nothing: the last good policy stays (N19, S09), and `say` gets the reason, each mistake with line
 * and column.
 */
export function watchPolicy(file: string, first: Policy, say: (text: string) => void): LivePolicy {
  let policy = first
  let lastSeen = ''
  let lastRead = ''
  let lastComplaint = ''
  let isStopped = false
  const listeners: (() => void)[] = []

  const adopt = (next: Policy): void => {
    if (next.digest === policy.digest) return
    const { wider, narrower } = comparePolicies(policy, next)
    const known = new Set(policyWarnings(policy))
    policy = next
    say(reportOf(file, wider, narrower))
    for (const warning of policyWarnings(next)) if (!known.has(warning)) say(`Warning: ${warning}`)
    if (narrower.length > 0) for (const listener of listeners) listener()
  }

  const look = async (): Promise<void> => {
    const seen = await fingerprintOf(file)
    const isStill = seen === lastSeen
    lastSeen = seen
    if (!isStill || seen === lastRead) return
    if (seen === gone) throw new Error('there is no such file')
    const next = readPolicy(await readFile(file, 'utf8'), file)
    if ((await fingerprintOf(file)) !== seen) return
    lastRead = seen
    const restart = whyRestart(policy, next)
    if (restart === undefined) adopt(next)
    else say(`${file}: ${restart}. That needs a restart; until then the policy before stays in force.`)
  }

  const poll = async (): Promise<void> => {
    try {
      await look()
      if (lastSeen !== gone) lastComplaint = ''
    } catch (error) {
      const isNew = lastComplaint !== lastSeen
      lastComplaint = lastSeen
      if (error instanceof PolicyErrors) lastRead = lastSeen
      if (isNew) say(`${whyNot(file, error)}\nThe policy before stays in force.`)
    }
    if (isStopped) return
    timer = setTimeout(next, pollMs)
  }
  const next = (): void => {
    running = poll()
  }
  let running: Promise<void> = Promise.resolve()
  let timer = setTimeout(next, pollMs)

  return {
    policy: () => policy,
    onNarrowed: (listener) => void listeners.push(listener),
    async stop() {
      isStopped = true
      clearTimeout(timer)
      await running
    },
  }
}

const gone = 'gone'

/** What tells one state of the file from another without reading it; an editor that replaces it makes another inode. */
async function fingerprintOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true })
    return [ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return gone
    throw error
  }
}

function whyNot(file: string, error: unknown): string {
  if (error instanceof PolicyErrors) return `The changed policy file cannot be used:\n${error.message}`
  return `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`
}

/** What runs was started for these servers; another command, address or variable reaches it only by a new start. */
function whyRestart(before: Policy, after: Policy): string | undefined {
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

function reportOf(file: string, wider: readonly string[], narrower: readonly string[]): string {
  const lines = [
    ...wider.map((text) => `  wider:    ${text}`),
    ...narrower.map((text) => `  narrower: ${text}`),
  ]
  if (lines.length === 0) return `${file} has changed; nobody may do more or less than before.`
  return [`${file} has changed, and is in force:`, ...lines].join('\n')
}
