import {
  browserWay,
  type CredentialStore,
  findBrowser,
  type PendingSignIn,
  readPastedAnswer,
  type SignInStatus,
  type SignInWay,
} from '@warder/client'
import { Refusal } from '@warder/protocol'
import {
  type Mode,
  makeWay,
  type PersonOptions,
  readMode,
  readTimeout,
  surroundings,
  tenMinutes,
  wayOptions,
} from '../client/choose-way.ts'
import { clientExitCodes } from '../client/client-exit-codes.ts'
import { readCallbackPort, readProfile, requestOptions, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { describeSignIn, signInRows } from '../client/describe-sign-in.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import type { ServerTarget } from '../client/find-server.ts'
import { authRequiredLine, findHandoff, keepHandoff, takeHandoff } from '../client/handoff.ts'
import { keepWay, readKeptWay } from '../client/kept-ways.ts'
import { loginCommand } from '../client/login-command.ts'
import { makeLoginGrant } from '../client/make-login-grant.ts'
import { type OpenedClient, openClient } from '../client/open-client.ts'
import { openCredentialStore } from '../client/open-store.ts'
import { showUrl } from '../client/show-url.ts'
import { showWord } from '../client/show-word.ts'
import { chooseWay, grantOptions, keyOptions, type WayChoice } from '../client/way-choice.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, plain, print, table } from '../output.ts'
import { Problem } from '../problem.ts'

export const login: Command = {
  usage: 'login NAME|URL [OPTIONS]',
  options: {
    ...signInOptions,
    ...wayOptions,
    ...grantOptions,
    ...keyOptions,
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
    'warder login notes --client-credentials --client-id ci --private-key key.pem',
    'warder login notes --client-credentials --client-id ci --client-secret-stdin < secret-file',
    'warder login notes --enterprise --idp https://login.example.com --idp-client-id warder',
    'warder login notes --exchange --subject-token-file token --issuer https://as.example.com',
  ],
  async run(input) {
    const word = oneWord(input, 'say where to sign in: warder login https://notes.example.com/mcp')
    const target = await findNamedServer(input, word)
    return withClientProblems(async () => {
      const { resume } = input.options
      if (resume !== undefined) return finish(input, target, resume)
      const store = await openCredentialStore(input.options['store'], { mayAsk: true })
      const of = { server: target.server, profile: readProfile(input) }
      const kept = await readKeptWay(store, of)
      const choice = chooseWay(input, kept)
      const asked: Asked = { input, target, store, choice }
      if (choice.way !== 'person') return signInByGrant(asked, kept)
      const mode = readMode(input, surroundings())
      return mode === 'hand-off' ? begin(asked, word) : signInByPerson(asked, mode)
    })
  },
}

/** What a command line comes to. */
interface Asked {
  readonly input: Input
  readonly target: ServerTarget
  readonly store: CredentialStore
  readonly choice: WayChoice
}

async function signInByPerson(asked: Asked, mode: Exclude<Mode, 'hand-off'>): Promise<number> {
  return signIn(asked, makeWay(mode, personOptions(asked)))
}

function personOptions({ input, target }: Asked): PersonOptions {
  const readsSecret = ['client-secret-stdin', 'idp-client-secret-stdin'].some((name) =>
    input.switches.has(name),
  )
  return {
    callbackPort: readCallbackPort(input, target),
    timeoutMs: readTimeout(input),
    // A pipe is read to its end for the secret; a terminal can be asked again.
    isInputUsed: readsSecret && process.stdin.isTTY !== true,
    handOff: ({ authorizationUrl, expiresAt }) =>
      note(
        authRequiredLine({
          server: showUrl(target.server),
          reason: 'a person has to sign in',
          authorization_url: authorizationUrl,
          expires_at: new Date(expiresAt).toISOString(),
        }),
      ),
  }
}

async function signInByGrant(asked: Asked, kept: WayChoice | undefined): Promise<number> {
  const { input, target, store } = asked
  const about = { input, server: target.server, store, kept, person: personOptions(asked) }
  const { way, choice } = await makeLoginGrant(asked.choice, about)
  return signIn({ ...asked, choice }, way)
}

async function signIn({ input, target, store, choice }: Asked, way: SignInWay): Promise<number> {
  const opened = await openClient(input, target, { way, store, choice })
  checkKeeps(opened)
  return tell(input, opened, choice, await opened.client.signIn())
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
async function begin({ input, target, store, choice }: Asked, word: string): Promise<number> {
  const way = browserWay({ ...surroundings(), say: note, callbackPort: readCallbackPort(input, target) })
  const opened = await openClient(input, target, { way, store, choice })
  const { client, registration } = opened
  checkKeeps(opened)
  const { url, pending } = await client.beginSignIn(way).finally(() => way.close())
  const expiresAt = Date.now() + (readTimeout(input) ?? tenMinutes)
  const handle = await keepHandoff(store, { pending, registration, choice }, { expiresAt, now: Date.now() })
  // The rest of what the command line says is in the handoff.
  const { host, profile, store: kind } = input.options
  const command = loginCommand(showWord(word), { options: { host, profile, store: kind } })
  note(
    authRequiredLine({
      server: showUrl(target.server),
      reason: whyHandedOff(input),
      authorization_url: url,
      expires_at: new Date(expiresAt).toISOString(),
      resume: `${command} --resume ${handle}`,
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

async function finish(input: Input, named: ServerTarget, handle: string): Promise<number> {
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const handoff = await findHandoff(store, handle, Date.now())
  if (handoff === undefined) throw gone()
  const { pending, registration, choice = { way: 'person' } } = handoff
  const target = await findPending(input, named, pending)
  const way = { kind: 'none', reason: 'this only finishes a sign-in' } as const
  const as = { ...input, options: { ...input.options, 'private-key': choice.keyFile } }
  const opened = await openClient(as, target, { way, store, registration, choice })
  const callback = await askForAnswer(pending, readTimeout(input) ?? tenMinutes)
  if (!(await takeHandoff(store, handle))) throw gone()
  return tell(input, opened, choice, await opened.client.completeSignIn(pending, callback))
}

/** The server of a sign-in that waits, which has to be the one that the command names. Otherwise nothing of it is used up. */
async function findPending(
  input: Input,
  named: ServerTarget,
  { server, profile }: PendingSignIn,
): Promise<ServerTarget> {
  if (readProfile(input) !== profile)
    throw new Problem(`this sign-in was begun for --profile ${profile}: say so here too.`, 2)
  if (named.server === server) return named
  // The command that we have printed ourselves hides credentials in the address.
  if (named.server === showWord(server)) return findNamedServer(input, server)
  throw new Problem(
    `this sign-in was begun at ${showUrl(server)}, and the command names ${showUrl(named.server)}. ` +
      'Run it as it stands in "resume", or with --host if several lists have the name.',
    2,
  )
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

async function tell(
  input: Input,
  { store }: OpenedClient,
  choice: WayChoice,
  status: SignInStatus,
): Promise<number> {
  const { server, profile } = status
  await keepWay(store, { server, profile }, choice)
  const sign = await describeSignIn(store, { server, profile })
  if (sign === undefined) throw new Error('a sign-in that has just worked is not in the store')
  if (input.switches.has('json')) print(JSON.stringify(sign))
  else print(`You are signed in to ${plain(server)}.\n${table(signInRows(sign, Date.now() / 1000))}`)
  return 0
}
