import { isJsonObject, messageOf, Refusal } from '@warder/protocol'
import { createChildren } from './children.ts'
import type { HostedAnswer, HostedCall } from './hosted-call.ts'
import { listItems } from './list-items.ts'
import type { BridgeLog } from './log.ts'
import { readEra } from './read-era.ts'
import { readPromptName, readTool } from './read-tool.ts'
import { type RestartRules, usualRestartRules } from './restarts.ts'
import { makeSandbox, type SandboxOptions } from './sandbox.ts'
import { answerSession } from './session-endpoint.ts'
import { createSessions } from './sessions.ts'
import { answerStateless } from './stateless-endpoint.ts'
import type { UpstreamFacts } from './upstream-facts.ts'

/** What to start for each signed-in user, and the bounds around it. */
export interface StdioHostOptions {
  /** Program and arguments; never a shell line. */
  readonly command: readonly string[]
  /** All that the child sees of the environment, besides PATH, HOME, LANG, LC_ALL, TZ and TMPDIR. */
  readonly env: Readonly<Record<string, string>>
  /** Default: Warder's own. */
  readonly cwd?: string
  /** Children at one time, over all owners; default 50. When it is reached, the longest idle one makes room. */
  readonly maxChildren?: number
  /** A child without open requests and streams is stopped after this many milliseconds; default 15 minutes. */
  readonly idleMs?: number
  /** A child that is older than this is stopped when it is idle, and the next call starts another; default 24 hours. */
  readonly maxAgeMs?: number
  /** What happens when a child crashes again and again; defaults: see `RestartRules`. */
  readonly restarts?: Partial<RestartRules>
  /** One child for all users. Users are then kept apart by nothing but the server itself. */
  readonly share?: boolean
  /** Starts each child in a sandbox, see `makeSandbox`. */
  readonly sandbox?: SandboxOptions
  readonly log?: BridgeLog
}

/** A stdio MCP server behind HTTP: one child process for each signed-in user. */
export interface StdioHost {
  /** Answers one exchange. Throws `Refusal`: `session.*`, `message.*`, `http.method`, `http.throttled`, `upstream.*`. */
  handle(call: HostedCall): Promise<HostedAnswer>
  /** Starts a temporary child and asks what it offers. Throws `Refusal` `upstream.*` with the reason as detail. */
  inspect(): Promise<UpstreamFacts>
  /** Ends all streams, sessions and children; resolves when their process groups are gone. */
  close(): Promise<void>
}

/**
 * Hosts a stdio MCP server of any revision for HTTP clients of 2026-07-28, 2025-11-25 and 2025-06-18. What a client asks
 * is answered by the child of its user; requests of a child to its client are refused. Does not authenticate and does not
 * decide: who calls, and whether they may, the caller of `handle` has found out. Log messages of a child reach sessions only,
 * and only while one client uses it; tasks and extensions are not passed on. Throws a TypeError when the command is empty, and
 * a `SandboxProblem` when a sandbox is asked for and cannot be had.
 */
export function createStdioHost(options: StdioHostOptions): StdioHost {
  if (!options.command[0]) throw new TypeError('command must name a program')
  const { command, env, cwd } = options
  const share = options.share ?? false
  const sandbox = options.sandbox && makeSandbox({ command, cwd: cwd ?? process.cwd(), ...options.sandbox })
  const children = createChildren({
    command: {
      command,
      ...(sandbox === undefined ? {} : { wrapper: sandbox.wrapper }),
      env: { ...env, ...sandbox?.env },
      ...(cwd === undefined ? {} : { cwd }),
    },
    maxChildren: options.maxChildren ?? 50,
    idleMs: options.idleMs ?? 15 * 60_000,
    maxAgeMs: options.maxAgeMs ?? 24 * 60 * 60_000,
    restarts: { ...usualRestartRules, ...options.restarts },
    shared: share,
    log: options.log ?? (() => undefined),
  })
  const sessions = createSessions()

  return {
    handle: async (call) => {
      if (readEra(call) === 'session') return answerSession(children, sessions, call)
      if (call.httpMethod !== 'POST') throw new Refusal('http.method', { detail: 'MCP GW-11' })
      if (call.message === undefined) throw new Refusal('message.shape', { detail: 'the body is missing' })
      return answerStateless(children, call, call.message)
    },
    inspect: async () => {
      const child = await children.startTemporary()
      try {
        const { capabilities, serverInfo } = child.facts
        return {
          tools: (await listItems(child, 'tools')).map(readTool),
          resources: isJsonObject(capabilities['resources']),
          prompts: (await listItems(child, 'prompts')).map(readPromptName),
          serverInfo,
        }
      } catch (error) {
        const words = messageOf(error)
        throw new Refusal('upstream.unreachable', {
          detail: `the MCP server ${command[0]}: ${words}`,
          cause: error,
        })
      } finally {
        await child.stop()
      }
    },
    close: () => children.close(),
  }
}
