import { isDamaged, listServerEntries } from '@warder/client'
import { clientExitCodes } from '../client/client-exit-codes.ts'
import { readProfile, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import {
  describeProvider,
  describeSignIn,
  type ProviderDescription,
  providerRows,
  type SignInDescription,
  signInRows,
} from '../client/describe-sign-in.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import { listProviders } from '../client/kept-ways.ts'
import { loginCommand } from '../client/login-command.ts'
import { openCredentialStore } from '../client/open-store.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { note, plain, print, table } from '../output.ts'

export const status: Command = {
  usage: 'status [NAME|URL] [--profile NAME] [--host HOST] [--store KIND] [--json]',
  options: { ...signInOptions, json: { says: 'Print one JSON array' } },
  examples: ['warder status', 'warder status notes', 'warder status --json'],
  run: (input) =>
    withClientProblems(async () => {
      const { signs, providers, damaged } = await loadSigns(input)
      const blocks = [...signs.map(inWords), ...providers.map(providerInWords)]
      for (const line of damaged) note(line)
      if (input.switches.has('json')) print(JSON.stringify([...signs, ...providers]))
      else if (blocks.length > 0) print(blocks.join('\n\n'))
      else if (damaged.length === 0) print('You are signed in nowhere that this store knows of.')
      if (damaged.length > 0) return 1
      if (input.words.length === 0 || signs.some(({ signed_in: isSignedIn }) => isSignedIn)) return 0
      note(`Sign in by: ${loginCommand(input.words[0] ?? '', input)}`)
      return clientExitCodes.signInRequired
    }),
}

interface StoredSigns {
  readonly signs: readonly SignInDescription[]
  /** Where one sign-in serves several servers; none where one server is asked about. */
  readonly providers: readonly ProviderDescription[]
  /** What cannot be read, in words: none of it counts as absent. */
  readonly damaged: readonly string[]
}

/** Every stored sign-in, or those of the server that is named: of all profiles unless one is. */
async function loadSigns(input: Input): Promise<StoredSigns> {
  const found =
    input.words.length === 0
      ? undefined
      : await findNamedServer(input, oneWord(input, 'name one server at most: warder status notes'), 'look')
  const profile = input.options['profile'] === undefined ? undefined : readProfile(input)
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const stored = await listServerEntries(store)
  const entries = stored.entries.filter(
    (entry) =>
      (found === undefined || entry.server === found.server) &&
      (profile === undefined || entry.profile === profile),
  )
  const signs: SignInDescription[] = []
  const providers: ProviderDescription[] = []
  // It may be the one that was asked for: which it is stands in what cannot be read.
  const damaged = stored.damaged.map(({ trouble }) => plain(`a server: ${trouble.message}`))
  const unlessDamaged = async (name: string, of: string, read: () => Promise<void>): Promise<void> => {
    try {
      await read()
    } catch (error) {
      if (!isDamaged(error)) throw error
      damaged.push(plain(`${name} (profile ${of}): ${error.message}`))
    }
  }
  for (const entry of entries) {
    await unlessDamaged(entry.server, entry.profile, async () => {
      const sign = await describeSignIn(store, entry)
      if (sign !== undefined) signs.push(sign)
    })
  }
  for (const provider of found === undefined ? await listProviders(store) : []) {
    if (profile !== undefined && provider.profile !== profile) continue
    await unlessDamaged(provider.issuer, provider.profile, async () => {
      providers.push(await describeProvider(store, provider))
    })
  }
  return { signs, providers, damaged }
}

function providerInWords(provider: ProviderDescription): string {
  const rows = providerRows(provider, Date.now() / 1000)
  return `${plain(provider.identity_provider)} (identity provider)\n${table(rows)}`
}

function inWords(sign: SignInDescription): string {
  return `${plain(sign.server)}\n${table(signInRows(sign, Date.now() / 1000))}`
}
