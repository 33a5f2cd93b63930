import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import process, { stdin, stdout } from 'node:process'
import { type BridgeLogEntry, createStdioBridge } from '@warder/bridge/connect'
import { mcpRemoteOptions, readConnectArguments } from '../client/connect-arguments.ts'
import { cacheDirectory, openConnectMemory } from '../client/connect-memory.ts'
import type { ConnectedServer } from '../client/connect-server.ts'
import type { FoundServer } from '../client/find-server.ts'
import { untilHostLeaves } from '../client/until-host-leaves.ts'
import { grantOptions, keyOptions } from '../client/way-choice.ts'
import type { Command, Option } from '../command.ts'
import { note, plain } from '../output.ts'
import { Problem } from '../problem.ts'

/** Standard input belongs to the host. */
function withoutInput({
  'idp-client-secret-stdin': _,
  ...options
}: Readonly<Record<string, Option>>): Readonly<Record<string, Option>> {
  return options
}

export const connect: Command = {
  usage: 'connect NAME|URL [OPTIONS]',
  options: {
    header: {
      value: '"NAME: VALUE"',
      short: 'H',
      many: true,
      says: 'Send this header too; variables of the environment are put in',
    },
    'allow-tool': { value: 'GLOB', many: true, says: 'Only tools that one of these fits' },
    'deny-tool': { value: 'GLOB', many: true, says: 'No tools that one of these fits' },
    'no-browser': { says: 'Show the address of a sign-in instead of opening a browser' },
    wait: { says: 'Stay although nobody can sign in here, and say where to in answers to calls' },
    timeout: { value: 'SECONDS', says: 'How long a person may take to sign in (default: 600)' },
    profile: { value: 'NAME', says: 'One of several accounts at this server (default: default)' },
    store: {
      value: 'KIND',
      says: 'Where credentials are kept, as for warder login',
      among: ['keychain', 'encrypted-file', 'memory', 'dangerously-plain-file'],
    },
    host: { value: 'HOST', says: 'The program whose list of servers has the name' },
    scope: { value: '"A B"', says: 'Ask for these scopes and no others' },
    'client-id': {
      value: 'ID',
      says: 'A client that you have registered yourself (secret: MCP_CLIENT_SECRET)',
    },
    device: { says: 'Sign in with a code that is typed in on another device' },
    ...withoutInput(grantOptions),
    ...keyOptions,
    'callback-port': { value: 'PORT', says: 'Get the answer of a sign-in at http://localhost:PORT/callback' },
    resource: { value: 'URL', says: 'Send this as resource' },
    'no-resource': { says: 'Send no resource' },
    'metadata-url': { value: 'URL', says: 'Where the metadata of the authorization server is' },
    debug: { says: 'Say on standard error what is going on, as lines of JSON' },
    ...mcpRemoteOptions,
  },
  examples: [
    'warder connect https://notes.example.com/mcp',
    'warder connect notes --profile work --deny-tool "delete_*"',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is for the reader to type
    'warder connect https://notes.example.com/mcp --header "Authorization: Bearer ${NOTES_TOKEN}"',
    'warder connect https://notes.example.com/mcp 3334 --transport http-first   (as for mcp-remote)',
  ],
  async run(input) {
    // Hosts start this often, and most of its time is compiling. Never in a directory that others can write to.
    enableCompileCache(join(cacheDirectory(), 'compiled'))
    const given = readConnectArguments(input)
    const isUrl = /^https?:\/\//i.test(given.word)
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
    const found = isUrl ? undefined : await find()
    const url = found?.server ?? given.word
    const profile = given.input.options['profile'] ?? 'default'
    const memory = openConnectMemory(url, profile)
    const remembered = memory.read()
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
      opening ??= open().catch((error: unknown) => {
        if (error instanceof Problem) leave(error.exitCode, `warder: ${error.message}`)
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
      onSignInRequired: ({ message }) => {
        if (connected?.isAlone !== true) return
        const resume = `warder login ${given.word}${profile === 'default' ? '' : ` --profile ${profile}`}`
        leave(3, JSON.stringify({ error: 'auth_required', server: url, reason: message, resume }))
      },
      log: say,
    })
    await untilHostLeaves(bridge)
    connected?.close()
    // Connections that could be used again, and whoever listens for a sign-in, must not keep us.
    process.exit(exitCode)
  },
}

const ends: ReadonlySet<string> = new Set(['warn', 'error'])

/** Tells people what they should know, or programs everything; texts from elsewhere are made harmless (Q27). */
function makeLog(kind: 'debug' | 'usual' | 'silent'): (entry: BridgeLogEntry) => void {
  if (kind === 'debug') return (entry) => note(JSON.stringify(entry))
  return ({ level, event, why }) => {
    if (kind === 'usual' && ends.has(level)) note(`warder: ${plain(typeof why === 'string' ? why : event)}`)
  }
}
