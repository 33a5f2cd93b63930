import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { isMainThread } from 'node:worker_threads'
import { Refusal } from '@warder/protocol'
import { makeChildEnvironment } from './child-environment.ts'
import { coverInheritedFiles } from './inherited-files.ts'
import { isOutOfFiles } from './is-out-of-files.ts'
import type { BridgeLog } from './log.ts'
import { endGroup, guardGroup } from './process-group.ts'
import { readLines } from './read-lines.ts'

const maxLineBytes = 8 * 1024 * 1024
const maxWaitingBytes = 32 * 1024 * 1024
const maxDepth = 200
const maxStderrLineBytes = 2000
const stderrTailLines = 8
const lastWordsMs = 100

/** What to start. */
export interface ChildCommand {
  readonly command: readonly string[]
  /** A program with its arguments that starts the command inside of something. */
  readonly wrapper?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

/** What the owner of a process is told; `onEnd` comes exactly once, and nothing after it. */
export interface ChildEvents {
  /** One line of JSON from the child, parsed but not checked. */
  readonly onMessage: (message: unknown) => void
  /** The process is over, or not worth keeping; `reason` completes the sentence "the MCP server …". */
  readonly onEnd: (reason: string) => void
  readonly log: BridgeLog
}

/** A child process that speaks JSON lines. */
export interface ChildProcess {
  readonly pid: number | undefined
  /** Whether so much input waits for the child that no more should be sent. */
  isClogged(): boolean
  send(message: object): void
  /** The last lines of its stderr, for an error that a person reads. */
  stderrTail(): string
  /** Closes stdin, then ends the process group; resolves when it is gone. */
  stop(): Promise<void>
}

/**
 * Starts the command without a shell, in a process group of its own, with the environment of named variables only. The group
 * ends with Warder, whatever ends that. Throws `Refusal` `upstream.busy` when too many files are open for its pipes, and
 * `upstream.unreachable` when such a command can never run; all else that is against it comes by `onEnd`.
 */
export function startChildProcess(command: ChildCommand, events: ChildEvents): ChildProcess {
  const child = spawnPrivately(command, events.log)
  const unguard = child.pid === undefined ? () => undefined : guardGroup(child.pid, events.log)
  const tail: string[] = []
  let ended = false
  let stopping: Promise<void> | undefined

  const end = (reason: string): void => {
    if (ended) return
    ended = true
    // Whatever the child has started must not outlive it.
    stopping = stopGroup()
    events.onEnd(reason)
  }

  const stopGroup = async (): Promise<void> => {
    child.stdin.end()
    if (child.pid !== undefined) await endGroup(child.pid)
    unguard()
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
  }

  child.on('error', (error) => end(`cannot be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    events.log({ level: 'info', event: 'child.exit', pid: child.pid, code, signal })
    const reason = signal === null ? `exited with code ${code}` : `was ended by ${signal}`
    // Its last words may still be in the pipe; something that it started may hold that pipe open for ever.
    child.on('close', () => end(reason))
    setTimeout(end, lastWordsMs, reason)
  })
  // A child that closes its input and lives on is noticed at its stdout or at the next deadline.
  child.stdin.on('error', () => undefined)
  child.stdout.on('end', () => setTimeout(end, 2 * lastWordsMs, 'closed its output'))

  let garbage = false
  readLines(child.stdout, maxLineBytes, (line, cut) => {
    if (ended) return
    if (cut) return end('sent a message of more than 8 MiB')
    if (line.trim() === '') return
    const message = readJson(line)
    if (message !== undefined && isTooDeep(message)) return end('sent a message that is nested too deeply')
    if (message !== undefined) return events.onMessage(message)
    if (!garbage) events.log({ level: 'warn', event: 'child.not-json', pid: child.pid })
    garbage = true
  })
  readLines(child.stderr, maxStderrLineBytes, (line) => {
    tail.push(line)
    if (tail.length > stderrTailLines) tail.shift()
    events.log({ level: 'info', event: 'child.stderr', pid: child.pid, line })
  })

  return {
    pid: child.pid,
    isClogged: () => child.stdin.writableLength > maxWaitingBytes,
    send: (message) => {
      if (ended || !child.stdin.writable) return
      child.stdin.write(`${JSON.stringify(message)}\n`)
      // Our answers to its own requests pile up as well, and nobody asks `isClogged` about those.
      if (child.stdin.writableLength > 2 * maxWaitingBytes) end('does not read its input')
    },
    stderrTail: () => tail.join('\n'),
    stop: () => {
      end('was stopped')
      return stopping ?? Promise.resolve()
    },
  }
}

let covered: readonly (number | null)[] | undefined

function spawnPrivately(command: ChildCommand, log: BridgeLog): ChildProcessWithoutNullStreams {
  const [program = '', ...argumentList] = [...(command.wrapper ?? []), ...command.command]
  // The child inherits the umask; spawn() forks before it returns, so that no other code runs under the narrow one.
  const before = isMainThread ? process.umask(0o077) : undefined
  try {
    covered ??= coverInheritedFiles()
    const child = spawn(program, argumentList, {
      env: makeChildEnvironment(command.env),
      ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
      stdio: ['pipe', 'pipe', 'pipe', ...covered],
      shell: false,
      detached: process.platform !== 'win32',
      windowsHide: true,
    }) as ChildProcessWithoutNullStreams
    // Its first three files are pipes; where no file is left for them, Node returns a child without any.
    if ((child.stdin as unknown) !== undefined) return child
    // It says why a moment later, and would end Warder if nobody listened.
    child.on('error', () => undefined)
  } catch (error) {
    if (!isOutOfFiles(error)) throw unreachable(command, `cannot be started: ${(error as Error).message}`)
  } finally {
    if (before !== undefined) process.umask(before)
  }
  const words = 'no child can be started: too many files are open'
  log({ level: 'warn', event: 'child.no-files', words })
  throw new Refusal('upstream.busy', { detail: words, retryAfter: 5 })
}

/** A refusal with `reason`, which completes the sentence "the MCP server …", and the last words of the child. */
export function unreachable({ command }: ChildCommand, reason: string, stderr = ''): Refusal {
  const words = `the MCP server ${command[0] ?? ''} ${reason}`
  return new Refusal('upstream.unreachable', {
    detail: stderr === '' ? words : `${words}; it said:\n${stderr}`,
  })
}

/** What is nested deeper than this could be parsed, but not written again: JSON.stringify would run out of stack. */
function isTooDeep(value: unknown, room = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return false
  return room === 0 || Object.values(value).some((member) => isTooDeep(member, room - 1))
}

function readJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
