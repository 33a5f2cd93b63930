import { readFile, stat } from 'node:fs/promises'
import { PolicyErrors, readPolicy } from '@warder/policy'
import { messageOf } from '@warder/protocol'
import type { PolicyFile } from './load-policy.ts'

const pollMs = 500

/**
 * Polls the policy file and hands on a changed one. The file is read once it has stood still for a poll, so that one which is
 * still being written is left alone. A file that is broken or gone is not handed on (N19, S09): `say` gets the reason, each
 * mistake with line and column. Answers how to stop.
 */
export function watchPolicy(
  file: string,
  options: {
    /** What was read from the file before, if it was there. */
    readonly last: PolicyFile | undefined
    /** Takes what the file has become, and what it was. When it throws, it is called again at the next poll. */
    readonly changed: (next: PolicyFile, before: PolicyFile | undefined) => Promise<void>
    readonly say: (text: string) => void
  },
): () => Promise<void> {
  const { changed, say } = options
  let { last } = options
  let lastSeen = ''
  let lastRead = ''
  let lastComplaint = ''
  let isStopped = false

  const look = async (): Promise<void> => {
    const seen = await fingerprintOf(file)
    const isStill = seen === lastSeen
    lastSeen = seen
    if (!isStill || seen === lastRead) return
    if (seen === gone) {
      if (last === undefined) return
      throw new Error('there is no such file')
    }
    const text = await readFile(file, 'utf8')
    const next = { text, policy: readPolicy(text, file) }
    if ((await fingerprintOf(file)) !== seen) return
    if (next.policy.digest !== last?.policy.digest) await changed(next, last)
    last = next
    lastRead = seen
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

  return async () => {
    isStopped = true
    clearTimeout(timer)
    await running
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
  return `${file} cannot be used: ${messageOf(error)}`
}
