import { isJsonObject, Refusal } from '@warder/protocol'
import { createChildren } from './children.ts'
import type { HostedAnswer, HostedCall } from './hosted-call.ts'
import { listTools } from './list-tools.ts'
import type { BridgeLog } from './log.ts'
import { readEra } from './read-era.ts'
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
  /** Children at one time, over all owners; default 50. */
  readonly maxChildren?: number
  /** A child without open requests and streams is stopped after this many milliseconds; default 15 minutes. */
  readonly idleMs?: number
  readonly log?: BridgeLog
}

/** A stdio MCP server behind HTTP: one child process for each signed-in user. */
export interface StdioHost {
  /** Answers one exchange. Throws `Refusal`: `session.*`, `message.*`, `http.method`, `upstream.busy`, `upstream.unreachable`. */
  handle(call: HostedCall): Promise<HostedAnswer>
  /** Starts a temporary child and asks what it offers. Throws `Refusal` `upstream.unreachable` with the reason as detail. */
  inspect(): Promise<UpstreamFacts>
  /** Ends all streams, sessions and children; resolves when their process groups are gone. */
  close(): Promise<void>
}

/**
 * Hosts a stdio MCP server of any revision for HTTP clients of 2026-07-28, 2025-11-25 and 2025-06-18. What a client asks
 * is answered by the child of its user; requests of a child to its client are refused. Does not authenticate and does not
 * decide: who calls, and whether they may, the caller of `handle` has found out. Log messages of a child reach sessions only,
 * and only while one client uses it; tasks and extensions are not passed on. Throws when the command is empty.
 */
export function createStdioHost(options: StdioHostOptions): StdioHost {
  if (!options.command[0]) throw new TypeError('command must name a program')
  const { command, env, cwd } = options
  const children = createChildren({
    command: { command, env, ...(cwd === undefined ? {} : { cwd }) },
    maxChildren: options.maxChildren ?? 50,
    idleMs: options.idleMs ?? 15 * 60_000,
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
        const tools = await listTools(child)
        return {
          tools,
          resources: isJsonObject(capabilities['resources']),
          prompts: isJsonObject(capabilities['prompts']),
          serverInfo,
        }
      } catch (error) {
        const words = error instanceof Error ? error.message : String(error)
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
