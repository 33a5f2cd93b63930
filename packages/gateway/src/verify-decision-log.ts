import { constants, open } from 'node:fs/promises'
import { join } from 'node:path'
import { createLogChain, type LogHead, logStart, type SealedRecord } from './log-chain.ts'
import { listLogFiles } from './log-files.ts'

/** What is wrong with a log, and where exactly. */
export interface LogProblem {
  /**
   * `altered`: the line stands where a record was, and is not that record. `inserted`: it was never part of this log. `missing`:
   * records `from` to `to` stood before this line; without `from`, where the log begins within a file, those of the file up to
   * `to`. `moved`: record `from` stands here, behind later ones. `restarted`: a new log begins here. `other`: the record follows
   * another one than the one before it. `cut`: the checkpoint is not in the log. `gone`: it is older than the log, so that
   * nothing is proven by it.
   */
  readonly kind: 'altered' | 'inserted' | 'missing' | 'moved' | 'restarted' | 'other' | 'cut' | 'gone'
  /** Name of the file and number of the line in it, from 1 on. */
  readonly file: string
  readonly line: number
  /** Numbers of records, where the problem is about some. */
  readonly from?: number
  readonly to?: number
}

/** What a log proves about itself. */
export interface LogVerification {
  readonly files: number
  readonly records: number
  /** Number of the first record that is there; those before it were taken away with their files. */
  readonly first: number | undefined
  /** The last record that is there: to be kept elsewhere, since nobody can see in a log that its end was cut off. */
  readonly checkpoint: LogHead | undefined
  /** In the order of the files; at most 1,000. */
  readonly problems: readonly LogProblem[]
}

const maxProblems = 1_000
const maxLine = 4 * 1024 * 1024

/**
 * Proves that a log directory holds what was written to it, line by line: nothing changed, removed, added or moved (T03). The end
 * can only be proven against an earlier `checkpoint`, and so can a log that somebody who knows the secret wrote anew. Reads
 * only; a last line that is being written, or that a crash left unfinished, is left out.
 */
export async function verifyDecisionLog(
  dir: string,
  options: { readonly secret: Uint8Array; readonly checkpoint?: LogHead },
): Promise<LogVerification> {
  const chain = createLogChain(options.secret)
  const names = await listLogFiles(dir)
  const check = createCheck(options.checkpoint)
  for (const [place, file] of names.entries()) {
    for await (const { text, line, isWhole } of readLines(join(dir, file))) {
      if (!isWhole && place === names.length - 1) continue
      check.take(isWhole ? chain.read(text) : undefined, { file, line })
    }
  }
  return { files: names.length, ...check.end() }
}

type Place = Pick<LogProblem, 'file' | 'line'>

/** Follows the chain from line to line. */
function createCheck(checkpoint: LogHead | undefined): {
  take(sealed: SealedRecord | undefined, place: Place): void
  end(): Omit<LogVerification, 'files'>
} {
  const problems: LogProblem[] = []
  /** Lines without a proof of their own, since the last line that had one. */
  let unproven: Place[] = []
  /** Numbers that were passed over, by the place before which they should stand. */
  let gaps: { readonly place: Place; from: number; to: number }[] = []
  let head: LogHead | undefined
  let first: LogHead | undefined
  let records = 0
  let last: Place = { file: '', line: 0 }
  let isCut = checkpoint !== undefined

  const add = (problem: LogProblem): void => {
    if (problems.length < maxProblems) problems.push(problem)
  }

  /** Unproven lines stand for the records that are not there, as far as they go. */
  function settleUnproven(missing: number): number {
    for (const [index, place] of unproven.entries())
      add({ kind: index < missing ? 'altered' : 'inserted', ...place })
    const altered = Math.min(missing, unproven.length)
    unproven = []
    return altered
  }

  function takeLate(n: number, place: Place): void {
    add({ kind: 'moved', ...place, from: n })
    // It was passed over before, so it is not missing as well.
    gaps = gaps.flatMap((gap) => {
      if (n < gap.from || n > gap.to) return [gap]
      return [
        { ...gap, to: n - 1 },
        { ...gap, from: n + 1 },
      ].filter(({ from, to }) => from <= to)
    })
  }

  function takeNext({ n, after, mac, beginsFile }: SealedRecord, place: Place): void {
    const before = head ?? (n === 1 ? logStart : undefined)
    const missing = head === undefined ? Math.min(n - 1, unproven.length) : n - head.n - 1
    const altered = settleUnproven(missing)
    if (missing > altered && gaps.length < maxProblems)
      gaps.push({ place, from: n - missing + altered, to: n - 1 })
    // A log may begin with any of its files, but with nothing that stood further back in one.
    if (head === undefined && n > 1 && altered === 0 && !beginsFile)
      add({ kind: 'missing', ...place, to: n - 1 })
    if (missing === 0 && before !== undefined && after !== before.mac) add({ kind: 'other', ...place })
    head = { n, mac }
    first ??= head
  }

  return {
    take(sealed, place) {
      last = place
      if (sealed === undefined) {
        if (unproven.length < maxProblems) unproven.push(place)
        return
      }
      records += 1
      const { n, mac } = sealed
      if (checkpoint?.n === n && checkpoint.mac === mac) isCut = false
      if (head === undefined || n > head.n) takeNext(sealed, place)
      else if (n === 1 && mac !== first?.mac) {
        settleUnproven(0)
        add({ kind: 'restarted', ...place })
        head = { n, mac }
      } else takeLate(n, place)
    },
    end() {
      settleUnproven(unproven.length)
      for (const { place, from, to } of gaps) add({ kind: 'missing', ...place, from, to })
      if (isCut && checkpoint !== undefined) {
        const isOlder = first !== undefined && checkpoint.n < first.n
        add({ kind: isOlder ? 'gone' : 'cut', ...last, from: checkpoint.n })
      }
      const order = new Map(
        [...new Set(problems.map(({ file }) => file))].sort().map((file, at) => [file, at]),
      )
      problems.sort((a, b) => order.get(a.file)! - order.get(b.file)! || a.line - b.line)
      return { records, first: first?.n, checkpoint: head, problems }
    },
  }
}

/** The lines of a file with their numbers; the one that no line end closes is not whole. */
async function* readLines(
  path: string,
): AsyncGenerator<{ readonly text: string; readonly line: number; readonly isWhole: boolean }> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const chunk = Buffer.alloc(1024 * 1024)
    let rest = ''
    let line = 0
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, null)
      if (bytesRead === 0) break
      const lines = (rest + chunk.toString('latin1', 0, bytesRead)).split('\n')
      // No record is that long, so the rest of such a line proves nothing.
      rest = (lines.pop() ?? '').slice(0, maxLine)
      for (const text of lines) {
        line += 1
        yield { text, line, isWhole: true }
      }
    }
    if (rest !== '') yield { text: rest, line: line + 1, isWhole: false }
  } finally {
    await handle.close()
  }
}
