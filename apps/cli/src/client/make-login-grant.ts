import type { BrowserWay, CredentialStore, GrantWay } from '@warder/client'
import type { Input } from '../command.ts'
import { note } from '../output.ts'
import { Problem } from '../problem.ts'
import { readPassword } from '../read-password.ts'
import { makeBrowserWay, type PersonOptions, readMode, surroundings } from './choose-way.ts'
import { readProfile } from './client-options.ts'
import { makeGrantWay, nobody, withProvider } from './make-grant-way.ts'
import type { WayChoice } from './way-choice.ts'
import { wayInWords } from './way-in-words.ts'

/** What `warder login` knows. */
interface LoginGrant {
  readonly input: Input
  readonly server: string
  readonly store: CredentialStore
  /** How the last sign-in came about. */
  readonly kept: WayChoice | undefined
  /** For a page of an identity provider. */
  readonly person: PersonOptions
}

/**
 * The way of a command line on which nobody has to say yes, but perhaps once at an identity provider; with the choice as it is to be
 * kept. Says so where the command line does not say it itself. Throws `Problem`.
 */
export async function makeLoginGrant(
  chosen: WayChoice,
  of: LoginGrant,
): Promise<{ readonly way: GrantWay; readonly choice: WayChoice }> {
  const { input, store, kept } = of
  const profile = readProfile(input)
  const choice = await withProvider(chosen, { store, profile })
  if (!isAsked(input)) {
    const why = kept === undefined ? 'since WARDER_WORKLOAD_TOKEN_FILE is set' : 'as the last time'
    note(`Signing in by ${wayInWords(choice)}, ${why}.`)
  }
  const idpClientSecret = await readIdpClientSecret(input)
  const person = makePerson(choice, of)
  return { way: await makeGrantWay(choice, { store, profile, person, idpClientSecret }), choice }
}

function isAsked({ options, switches }: Input): boolean {
  const asked = ['client-credentials', 'enterprise', 'exchange'].some((name) => switches.has(name))
  return asked || options['workload-token-file'] !== undefined
}

async function readIdpClientSecret({ switches }: Input): Promise<string | undefined> {
  if (!switches.has('idp-client-secret-stdin')) return undefined
  const secret = await readPassword('Client secret at the identity provider: ')
  if (secret === '') throw new Problem('there is no client secret on standard input.', 2)
  return secret
}

function makePerson({ way, idp }: WayChoice, { input, server, person }: LoginGrant): BrowserWay {
  if (way !== 'enterprise') return nobody('nobody has to', server)
  const mode = readMode(input, surroundings())
  if (mode !== 'hand-off' && mode !== 'device') return makeBrowserWay(mode, person)
  return nobody(
    'a person has to, once, and no browser can be opened here. Do it in a terminal, where there is a browser, or with --print-handoff --wait',
    idp ?? server,
  )
}
