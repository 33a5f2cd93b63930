import type { ToolRules, UserFetch } from '@warder/bridge/connect'
import type { CredentialStore, SignInWay } from '@warder/client'
import type { Input } from '../command.ts'
import { note, plain } from '../output.ts'
import { Problem } from '../problem.ts'
import type { ConnectArguments } from './connect-arguments.ts'
import type { FoundServer } from './find-server.ts'
import type { WayChoice } from './way-choice.ts'

/** A server as the bridge reaches it. */
export interface ConnectedServer {
  readonly found: FoundServer
  /** Its URL for eyes. */
  readonly shownUrl: string
  /** By whether the host asks a person where rules want that. */
  readonly rules: { readonly host: ToolRules; readonly refuse: ToolRules }
  /** Signed in; may ask a person. */
  readonly fetch: UserFetch
  /** The same, and never asks. */
  readonly quietFetch: UserFetch
  /** Nobody can be asked here: a sign-in has to happen elsewhere. */
  readonly isAlone: boolean
  /** Ends a sign-in that is under way. */
  close(): void
}

export interface ConnectHooks {
  /** Where the user can sign in right now; undefined when that is over. */
  readonly onLink: (url: string | undefined) => void
  readonly trace?: (event: unknown) => void
}

/**
 * Makes everything between the bridge and the server: rules of the lists of hosts, headers, and a client that signs in. What is not
 * needed is not loaded: a server with an Authorization header of its own gets no client. Throws `Problem` and what `openClient` throws.
 */
export async function connectServer(
  given: ConnectArguments,
  found: FoundServer,
  hooks: ConnectHooks,
): Promise<ConnectedServer> {
  const [{ checkConfidential }, { loadOwnHeaders }, { showUrl }, { toolRulesOf }] = await Promise.all([
    import('./check-headers.ts'),
    import('./own-headers.ts'),
    import('./show-url.ts'),
    import('./find-server.ts'),
  ])
  checkConfidential(found.server)
  const { allow, deny } = given
  const shownUrl = showUrl(found.server)
  const rules = {
    host: toolRulesOf(found, { allow, deny, ask: 'host' }),
    refuse: toolRulesOf(found, { allow, deny, ask: 'refuse' }),
  }
  const headers = await loadOwnHeaders(given, found)
  const withOwn = headers.sentBy
  if (headers.has('authorization')) {
    const fetch = withOwn(await makePlainFetch())
    return { found, shownUrl, rules, fetch, quietFetch: fetch, isAlone: false, close: () => undefined }
  }
  try {
    return { found, shownUrl, rules, ...(await openClients(given, found, hooks, withOwn)) }
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StoreUnavailable') throw error
    const fetch = withOwn(refuseChallenge(await makePlainFetch(), error.message))
    return { found, shownUrl, rules, fetch, quietFetch: fetch, isAlone: false, close: () => undefined }
  }
}

async function makePlainFetch(): Promise<UserFetch> {
  const { createUserFetch, readNetwork } = await import('@warder/outbound')
  return createUserFetch(readNetwork(process.env))
}

/** Without a place for credentials a server can be used as long as it wants none. */
function refuseChallenge(fetch: UserFetch, why: string): UserFetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if (response.status !== 401) return response
    await response.body?.cancel()
    throw new Problem(`it wants a sign-in, and there is no place to keep one: ${why}`)
  }
}

/** A client that may ask, and one that never does, on one store. */
async function openClients(
  given: ConnectArguments,
  found: FoundServer,
  hooks: ConnectHooks,
  withOwn: (fetch: UserFetch) => UserFetch,
): Promise<Pick<ConnectedServer, 'fetch' | 'quietFetch' | 'isAlone' | 'close'>> {
  const { openClient } = await import('./open-client.ts')
  const { parameters, documentUrl, staticClient: registration, input } = given
  const common = {
    ...(registration === undefined ? {} : { registration }),
    ...(documentUrl === undefined ? {} : { documentUrl }),
    ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
    ...(hooks.trace === undefined ? {} : { trace: hooks.trace }),
  }
  const { openCredentialStore } = await import('./open-store.ts')
  const store = await openCredentialStore(input.options['store'])
  const { way, choice, isAlone } = await makeConnectWay(input, found, hooks, store)
  const asking = await openClient(input, found, { ...common, way, store, choice })
  const never: SignInWay = { kind: 'none', reason: 'nobody is asked while nothing is asked for' }
  const quiet = await openClient(input, found, { ...common, way: never, store, choice })
  return {
    fetch: withOwn(asking.client.fetch),
    quietFetch: withOwn(quiet.client.fetch),
    isAlone,
    close: () => {
      asking.client.close()
      quiet.client.close()
    },
  }
}

/** How a sign-in comes about: as the command line says, else as the last time. */
async function makeConnectWay(
  input: Input,
  found: FoundServer,
  hooks: ConnectHooks,
  store: CredentialStore,
): Promise<{ readonly way: SignInWay; readonly choice: WayChoice; readonly isAlone: boolean }> {
  const [{ chooseWay }, { readKeptWay }, { readProfile }, person] = await Promise.all([
    import('./way-choice.ts'),
    import('./kept-ways.ts'),
    import('./client-options.ts'),
    makePersonWay(input, found, hooks),
  ])
  const profile = readProfile(input)
  // Here that says how an address is shown, should one be, and not that a person has to sign in.
  const switches = new Set([...input.switches].filter((name) => name !== 'no-browser'))
  const kept = await readKeptWay(store, { server: found.server, profile })
  const chosen = chooseWay({ ...input, switches }, kept)
  if (chosen.way === 'person') return { way: person, choice: chosen, isAlone: person.kind === 'none' }
  const { makeGrantWay, nobody, withProvider } = await import('./make-grant-way.ts')
  const choice = await withProvider(chosen, { store, profile })
  const atProvider =
    person.kind === 'browser'
      ? person
      : nobody(`at ${choice.idp ?? ''}, and no browser can be opened here`, found.server)
  const way = await makeGrantWay(choice, { store, profile, person: atProvider, trace: hooks.trace })
  return { way, choice, isAlone: choice.way === 'enterprise' && person.kind !== 'browser' }
}

/** How somebody can sign in although standard input belongs to the host. */
async function makePersonWay(input: Input, found: FoundServer, { onLink }: ConnectHooks): Promise<SignInWay> {
  const [{ browserWay, deviceWay, findBrowser }, { readCallbackPort }, { readTimeout, surroundings }] =
    await Promise.all([import('@warder/client'), import('./client-options.ts'), import('./choose-way.ts')])
  if (input.switches.has('device')) {
    const way = deviceWay({
      show: ({ verificationUri, userCode }) => {
        onLink(`${verificationUri} (code ${userCode})`)
        note(plain(`Open ${verificationUri} and enter the code ${userCode}.`))
      },
    })
    return {
      ...way,
      obtain: async (context) => {
        try {
          return await way.obtain(context)
        } finally {
          onLink(undefined)
        }
      },
    }
  }
  const here = surroundings()
  const isShown = input.switches.has('no-browser') || input.switches.has('wait')
  const missing = 'missing' in findBrowser(here) ? 'no browser can be opened here' : undefined
  if (missing !== undefined && !isShown) return { kind: 'none', reason: missing }
  const way = browserWay({
    ...here,
    say: note,
    callbackPort: readCallbackPort(input, found),
    timeoutMs: readTimeout(input),
    ...((input.switches.has('no-browser') || missing !== undefined) && {
      handOff: ({ authorizationUrl }) =>
        note(`Open this address in a browser on this computer to sign in:\n\n  ${authorizationUrl}\n`),
    }),
  })
  return {
    ...way,
    authorize: async (request) => {
      onLink(request.url)
      try {
        return await way.authorize(request)
      } finally {
        onLink(undefined)
      }
    },
  }
}
