import {
  browserWay,
  findBrowser,
  type PendingSignIn,
  readPastedAnswer,
  type SignInStatus,
} from '@warder/client'
import { Refusal } from '@warder/protocol'
import { makeWay, readMode, readTimeout, surroundings, tenMinutes, wayOptions } from '../client/choose-way.ts'
import { readCallbackPort, requestOptions, signInOptions } from '../client/client-options.ts'
import { clientExitCodes, withClientProblems } from '../client/client-problem.ts'
import { describeSignIn, signInRows } from '../client/describe-sign-in.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import type { ServerTarget } from '../client/find-server.ts'
import { authRequiredLine, findHandoff, keepHandoff, takeHandoff } from '../client/handoff.ts'
import { type OpenedClient, openClient } from '../client/open-client.ts'
import { openCredentialStore } from '../client/open-store.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'

export const login: Command = {
  usage: 'login NAME|URL [OPTIONS]',
  options: {
    ...signInOptions,
    ...wayOptions,
    resume: {
      value: 'HANDLE',
      says: 'Finish what --print-handoff began; the answer comes on standard input',
    },
    ...requestOptions,
    json: { says: 'Print the sign-in as JSON' },
  },
  examples: [
    'warder login https://notes.example.com/mcp',
    'warder login notes --profile work --scope "notes:read"',
    'warder login notes --no-browser',
    'warder login notes --client-id my-client --callback-port 8976',
    'warder login notes --client-credentials --client-id ci --client-secret-stdin < secret-file',
  ],
  async run(input) {
    const word = oneWord(input, 'say where to sign in: warder login https://notes.example.com/mcp')
    const target = await findNamedServer(input, word)
    return withClientProblems(async () => {
      if (input.options['resume'] !== undefined) return finish(input, target, input.options['resume'])
      const mode = readMode(input, surroundings())
      return mode === 'hand-off' ? begin(input, target, word) : signIn(input, target, mode)
    })
  },
}

async function signIn(
  input: Input,
  target: ServerTarget,
  mode: Exclude<ReturnType<typeof readMode>, 'hand-off'>,
): Promise<number> {
  const way = makeWay(mode, {
    callbackPort: readCallbackPort(input, target),
    timeoutMs: readTimeout(input),
    // A pipe is read to its end for the secret; a terminal can be asked again.
    isInputUsed: input.switches.has('client-secret-stdin') && process.stdin.isTTY !== true,
    handOff: ({ authorizationUrl, expiresAt }) =>
      note(
        authRequiredLine({
          server: target.server,
          reason: 'a person has to sign in',
          authorization_url: authorizationUrl,
          expires_at: new Date(expiresAt).toISOString(),
        }),
      ),
  })
  const opened = await openClient(input, target, { way, mayAsk: true })
  checkKeeps(opened)
  return tell(input, opened, await opened.client.signIn())
}

/** What is kept in memory ends with this command. */
function checkKeeps({ store }: OpenedClient): void {
  if (store.kind !== 'memory') return
  throw new Problem(
    'a sign-in that is kept in memory would end with this command. Choose another --store.',
    2,
  )
}

/** Nobody here can click: somebody else gets the address, and `--resume` goes on. */
async function begin(input: Input, target: ServerTarget, word: string): Promise<number> {
  const way = browserWay({ ...surroundings(), say: note, callbackPort: readCallbackPort(input, target) })
  const opened = await openClient(input, target, { way, mayAsk: true })
  const { client, store, profile, registration } = opened
  checkKeeps(opened)
  const { url, pending } = await client.beginSignIn(way).finally(() => way.close())
  const expiresAt = Date.now() + (readTimeout(input) ?? tenMinutes)
  const handle = await keepHandoff(store, { pending, registration }, { expiresAt, now: Date.now() })
  const options = [
    ...(profile === 'default' ? [] : ['--profile', profile]),
    ...(input.options['store'] === undefined ? [] : ['--store', input.options['store']]),
  ]
  note(
    authRequiredLine({
      server: target.server,
      reason: whyHandedOff(input),
      authorization_url: url,
      expires_at: new Date(expiresAt).toISOString(),
      resume: ['warder login', quoted(word), ...options, '--resume', handle].join(' '),
    }),
  )
  return clientExitCodes.signInRequired
}

function whyHandedOff({ switches }: Input): string {
  const browser = switches.has('print-handoff') ? undefined : findBrowser(surroundings())
  const why =
    browser !== undefined && 'missing' in browser
      ? `, and no browser can be opened here: ${browser.missing}`
      : ''
  return `a person has to sign in${why}`
}

/** For a line that a person or a program copies into a shell. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

async function finish(input: Input, target: ServerTarget, handle: string): Promise<number> {
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const handoff = await findHandoff(store, handle, Date.now())
  if (handoff === undefined) throw gone()
  const { pending, registration } = handoff
  const way = { kind: 'none', reason: 'this only finishes a sign-in' } as const
  const opened = await openClient(input, target, { way, store, registration })
  const callback = await askForAnswer(pending, readTimeout(input) ?? tenMinutes)
  if (!(await takeHandoff(store, handle))) throw gone()
  return tell(input, opened, await opened.client.completeSignIn(pending, callback))
}

const gone = (): Problem =>
  new Problem('there is no such sign-in here any more: it was finished, or took too long. Start again.')

async function askForAnswer({ record }: PendingSignIn, timeoutMs: number): Promise<string> {
  note('Paste the whole address of the last page of the browser (it is not shown), then press Enter:')
  const { state, redirectUri } = record
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(new Refusal('sign-in.timeout')), timeoutMs)
  const { signal } = end
  try {
    const answer = await readPastedAnswer({ state, redirectUri, signal, input: process.stdin, say: note })
    if (answer !== undefined) return answer
    throw new Problem('no address came on standard input. Run it again and paste the address.')
  } finally {
    clearTimeout(timer)
  }
}

async function tell(input: Input, { store }: OpenedClient, status: SignInStatus): Promise<number> {
  const { server, profile } = status
  const sign = await describeSignIn(store, { server, profile })
  if (sign === undefined) throw new Error('a sign-in that has just worked is not in the store')
  if (input.switches.has('json')) print(JSON.stringify(sign))
  else print(`You are signed in to ${plain(server)}.\n${table(signInRows(sign, Date.now() / 1000))}`)
  return 0
}
