import {
  type CredentialStore,
  listServerEntries,
  readServerEntry,
  type SignedOut,
  StoreUnavailable,
  serverName,
  signOutAtProvider,
  tokenName,
} from '@warder/client'
import { readProfile, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { describeProvider, describeSignIn } from '../client/describe-sign-in.ts'
import { findNamedServer } from '../client/find-named-server.ts'
import { spanInWords } from '../client/in-words.ts'
import { forgetProviders, forgetWay, type KeptProvider, listProviders } from '../client/kept-ways.ts'
import { outboundTo } from '../client/make-grant-way.ts'
import { openClient } from '../client/open-client.ts'
import { openCredentialStore } from '../client/open-store.ts'
import type { Command, Input } from '../command.ts'
import { oneWord } from '../one-word.ts'
import { plain, print } from '../output.ts'
import { Problem } from '../problem.ts'

export const logout: Command = {
  usage: 'logout (NAME|URL | --all) [--profile NAME] [--host HOST] [--store KIND] [--json]',
  options: {
    ...signInOptions,
    all: { says: 'Everywhere, with all accounts' },
    json: { says: 'Print what became of each token as JSON' },
  },
  examples: [
    'warder logout https://notes.example.com/mcp',
    'warder logout notes --profile work',
    'warder logout --all',
  ],
  run: (input) =>
    withClientProblems(async () => {
      const ended = input.switches.has('all') ? await endAll(input) : [await endOne(input)]
      if (input.switches.has('json')) print(JSON.stringify(input.switches.has('all') ? ended : ended[0]))
      else if (ended.length === 0) print('You are signed in nowhere.')
      else for (const one of ended) print(inWords(one))
      return 0
    }),
}

/** A sign-in that has been ended; in `revocation`, what the authorization server made of it. */
interface EndedSignIn {
  readonly server: string
  readonly profile: string
  /** Whether there was anything to end. */
  readonly signed_in: boolean
  readonly issuer: string | undefined
  readonly revocation: SignedOut['revocation']
  /** When an access token ends that was not revoked. ISO 8601. */
  readonly expires_at: string | undefined
}

async function endOne(input: Input): Promise<EndedSignIn> {
  const word = oneWord(input, 'say where to sign out: warder logout https://notes.example.com/mcp, or --all')
  const { server } = await findNamedServer(input, word)
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  return end(input, store, { server, profile: readProfile(input) })
}

async function endAll(input: Input): Promise<readonly EndedSignIn[]> {
  if (input.words.length > 0) throw new Problem('--all means every server: leave the name out.', 2)
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const ended: EndedSignIn[] = []
  // One after the other: each may ask the same authorization server.
  for (const entry of await listServerEntries(store)) ended.push(await end(input, store, entry))
  for (const provider of await listProviders(store)) ended.push(await endAtProvider(store, provider))
  await forgetProviders(store)
  return ended
}

/** The sign-in that served several servers. */
async function endAtProvider(store: CredentialStore, provider: KeptProvider): Promise<EndedSignIn> {
  const { issuer, profile, clientId, clientSecret } = provider
  const { expires_at: endsAt } = await describeProvider(store, provider)
  const client = { clientId, clientSecret }
  const revocation = await signOutAtProvider({ issuer, client, store, profile, outbound: outboundTo(issuer) })
  const about = { server: issuer, profile, signed_in: revocation !== undefined, issuer }
  return { ...about, revocation, expires_at: endsAt }
}

async function end(
  input: Input,
  store: CredentialStore,
  { server, profile }: { readonly server: string; readonly profile: string },
): Promise<EndedSignIn> {
  const way = { kind: 'none', reason: 'signing out needs nobody' } as const
  const of: Input = { ...input, options: { ...input.options, profile } }
  try {
    const { client } = await openClient(of, { server }, { way, store })
    const before = await describeSignIn(store, { server, profile })
    const { revocation } = await client.signOut()
    await forgetWay(store, { server, profile })
    return {
      server,
      profile,
      signed_in: revocation !== undefined,
      issuer: before?.issuer,
      revocation,
      expires_at: before?.expires_at,
    }
  } catch (error) {
    if (!(error instanceof StoreUnavailable && error.reason === 'denied')) throw error
    return endDamaged(store, { server, profile })
  }
}

/** What cannot be read cannot be revoked either, but it can be deleted: else a damaged record would stay for ever. */
async function endDamaged(
  store: CredentialStore,
  of: { readonly server: string; readonly profile: string },
): Promise<EndedSignIn> {
  const name = serverName(of)
  const entry = await readServerEntry(store, name).catch(() => undefined)
  if (entry !== undefined) await store.remove(tokenName(entry))
  await store.remove(name)
  await forgetWay(store, of)
  const revocation = { refreshToken: 'failed', accessToken: 'failed' } as const
  return { ...of, signed_in: true, issuer: entry?.issuer, revocation, expires_at: undefined }
}

/** Both halves, each on its own: that the credentials are gone here, and what became of the tokens at their issuer. */
function inWords({
  server,
  profile,
  signed_in: wasSignedIn,
  issuer = 'the server that issued them',
  revocation,
  ...rest
}: EndedSignIn): string {
  const who = `${plain(server)}${profile === 'default' ? '' : ` (profile ${profile})`}`
  if (!wasSignedIn || revocation === undefined) return `You were not signed in to ${who}.`
  const at = plain(issuer)
  const { refreshToken, accessToken } = revocation
  const outcomes = [refreshToken, accessToken].filter((outcome) => outcome !== 'absent')
  const gone = `You are signed out of ${who}: its credentials are deleted here`
  if (outcomes.every((outcome) => outcome === 'revoked')) return `${gone}, and revoked at ${at}.`
  const byHand = 'End the access there, on its page of connected applications.'
  if (refreshToken === 'unsupported') return `${gone}. ${at} revokes no tokens. ${byHand}`
  if (refreshToken === 'failed') return `${gone}. They were NOT revoked at ${at}. ${byHand}`
  const refresh = refreshToken === 'revoked' ? ', and the refresh token is revoked' : ''
  const why = accessToken === 'unsupported' ? 'revokes no access tokens' : 'could not revoke the access token'
  return `${gone}${refresh}. ${at} ${why}: a copy of it would work ${howLong(rest.expires_at)}.`
}

function howLong(end: string | undefined): string {
  const seconds = end === undefined ? 0 : (Date.parse(end) - Date.now()) / 1000
  return seconds > 0 ? `for ${spanInWords(seconds)} at most` : 'until it ends by itself'
}
