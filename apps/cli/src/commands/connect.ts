import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import process, { stdin, stdout } from 'node:process'
import { type BridgeLogEntry, createStdioBridge, isSignInRequired } from '@warder/bridge/connect'
import { userDirectory } from '@warder/private-files/files'
import { clientExitCodes } from '../client/client-exit-codes.ts'
import { type ConnectArguments, isAddress, readConnectArguments } from '../client/connect-arguments.ts'
import { openConnectMemory } from '../client/connect-memory.ts'
import { connectOptions } from '../client/connect-options.ts'
import type { ConnectedServer } from '../client/connect-server.ts'
import { defaultProfile } from '../client/default-profile.ts'
import type { FoundServer } from '../client/find-server.ts'
import { authRequiredLine } from '../client/handoff.ts'
import { loginCommand } from '../client/login-command.ts'
import { untilHostLeaves } from '../client/until-host-leaves.ts'
import type { Command } from '../command.ts'
import { note, plain } from '../output.ts'
import { Problem } from '../problem.ts'

export const connect: Command = {
  usage: 'connect NAME|URL [OPTIONS]',
  options: connectOptions,
  examples: [
    'warder connect https://notes.example.com/mcp',
    'warder connect notes --profile work --deny-tool "delete_*"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the reader to type
    'warder connect https://notes.example.com/mcp --header "Authorization: Bearer ${NOTES_TOKEN}"',
    'warder connect https://notes.example.com/mcp 3334 --transport http-first   (as for mcp-remote)',
  ],
  async run(input) {
    // Hosts start this often, and most of its time is compiling. Never in a directory that others can write to.
    enableCompileCache(join(userDirectory('cache'), 'compiled'))
    const given = readConnectArguments(input)
    const say = makeLog(given.log)
    for (const line of given.notes) say({ level: 'warn', event: 'connect.note', why: line })
    const find = async (): Promise<FoundServer> => {
      const { findServer } = await import('../client/find-server.ts')
      const found = await findServer(
        given.word,
        given.host === undefined ? {} : { host: given.host as never },
      )
      for (const why of found.warnings) say({ level: 'warn', event: 'connect.note', why })
      return found
    }
    // A host that waits for its greeting does not wait for what a URL does not need.
    const found = isAddress(given.word) ? undefined : await find()
    const url = found?.server ?? given.word
    const profile = given.input.options['profile'] ?? defaultProfile
    const memory = openConnectMemory(url, profile)
    const remembered = memory.read()
    const toLogIn = await makeLoginCommand(given)
    let link: string | undefined
    let connected: ConnectedServer | undefined
    let exitCode = 0
    let ask: 'host' | 'refuse' = 'refuse'

    const open = async (): Promise<ConnectedServer> => {
      const { connectServer } = await import('../client/connect-server.ts')
      connected = await connectServer(given, found ?? (await find()), {
        onLink: (place) => {
          link = place
        },
        ...(given.log === 'debug' && {
          trace: (event: unknown) => say({ level: 'info', event: 'connect.sign-in', step: event }),
        }),
      })
      return connected
    }
    const leave = (code: number, words: string): void => {
      exitCode = code
      note(words)
      // Who waits for an answer gets the one that says why.
      setTimeout(bridge.close, 50)
    }
    let opening: Promise<ConnectedServer> | undefined
    // What it loads takes longer than the greeting may; nothing is asked of the server before the host has spoken.
    const opened = (): Promise<ConnectedServer> => {
      opening ??= open().catch(async (error: unknown) => {
        const problem = error instanceof Problem ? error : await inWords(error)
        if (problem instanceof Problem) leave(problem.exitCode, `warder: ${problem.message}`)
        else leave(1, `warder: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
        throw error
      })
      return opening
    }
    const bridge = createStdioBridge({
      url,
      input: stdin,
      output: stdout,
      fetch: async (target, init) => (await opened()).fetch(target, init),
      quietFetch: async (target, init) => (await opened()).quietFetch(target, init),
      // Until they are known nothing has been asked of the server either.
      rules: { decide: (tool, args) => connected?.rules[ask].decide(tool, args) ?? { allow: true } },
      // The rules that ask are Claude Code's, and it asks by them itself.
      onHost: ({ clientInfo }) => {
        ask = clientInfo['name'] === 'claude-code' ? 'host' : 'refuse'
      },
      ...(remembered === undefined ? {} : { remembered }),
      onFacts: memory.write,
      // Whoever has to open an address must first be shown it.
      ...((input.switches.has('no-browser') || input.switches.has('wait')) && { patience: { callMs: 5000 } }),
      signInLink: () => link,
      loginCommand: toLogIn,
      onSignInRequired: (error) => {
        if (connected?.isAlone !== true) return
        // The whole message names the address as it is.
        const reason = (isSignInRequired(error) && error.reason) || 'a person has to sign in'
        const line = authRequiredLine({ server: connected.shownUrl, reason, resume: toLogIn })
        leave(clientExitCodes.signInRequired, line)
      },
      log: say,
    })
    await untilHostLeaves(bridge)
    connected?.close()
    // Connections that could be used again, and whoever listens for a sign-in, must not keep us.
    process.exit(exitCode)
  },
}

/** For people and for the host, whose model reads it: what shows credentials in an address is loaded only where there may be some. */
async function makeLoginCommand({ word, host, input }: ConnectArguments): Promise<string> {
  const given = Object.entries({ ...input.options, host }).filter(
    (pair): pair is [string, string] => !!pair[1],
  )
  const mayShow = [word, ...given.map(([, value]) => value)].some((text) => text.includes('?'))
  const { showWord } = mayShow ? await import('../client/show-word.ts') : { showWord: plain }
  const options = Object.fromEntries(given.map(([name, value]) => [name, showWord(value)]))
  return loginCommand(showWord(word), { ...input, options })
}

async function inWords(error: unknown): Promise<unknown> {
  const { clientProblem } = await import('../client/client-problem.ts')
  return clientProblem(error)
}

const ends: ReadonlySet<string> = new Set(['warn', 'error'])

/** Tells people what they should know, or programs everything; texts from elsewhere are made harmless (Q27). */
function makeLog(kind: 'debug' | 'usual' | 'silent'): (entry: BridgeLogEntry) => void {
  if (kind === 'debug') return (entry) => note(JSON.stringify(entry))
  return ({ level, event, why }) => {
    if (kind === 'usual' && ends.has(level)) note(`warder: ${plain(typeof why === 'string' ? why : event)}`)
  }
}
