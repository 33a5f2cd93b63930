import {
  type CredentialStore,
  isDamaged,
  listServerEntries,
  readServerEntry,
  type ServerEntry,
  type SignedOut,
  serverName,
  signOutAtProvider,
  tokenName,
} from '@warder/client'
import { readProfile, signInOptions } from '../client/client-options.ts'
import { withClientProblems } from '../client/client-problem.ts'
import { defaultProfile } from '../client/default-profile.ts'
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
    all: { says: 'Everywhere, with all accounts, or with that of --profile' },
    json: { says: 'Print what became of each token as JSON' },
  },
  examples: [
    'warder logout https://notes.example.com/mcp',
    'warder logout notes --profile work',
    'warder logout --all',
    'warder logout --all --profile work',
  ],
  run: (input) =>
    withClientProblems(async () => {
      const ended = input.switches.has('all') ? await endAll(input) : [await endOne(input)]
      if (input.switches.has('json')) print(JSON.stringify(input.switches.has('all') ? ended : ended[0]))
      else if (ended.length === 0) print(`You are signed in nowhere${ofProfile(input)}.`)
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
  /** The record that says where its tokens are kept could not be read: they may be left in the store. */
  readonly tokens_may_remain?: true
}

async function endOne(input: Input): Promise<EndedSignIn> {
  const word = oneWord(input, 'say where to sign out: warder logout https://notes.example.com/mcp, or --all')
  const { server } = await findNamedServer(input, word, 'look')
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  return end(input, store, { server, profile: readProfile(input) })
}

async function endAll(input: Input): Promise<readonly EndedSignIn[]> {
  if (input.words.length > 0) throw new Problem('--all means every server: leave the name out.', 2)
  const only = onlyProfile(input)
  const isMeant = ({ profile }: { readonly profile: string }): boolean => (only ?? profile) === profile
  const store = await openCredentialStore(input.options['store'], { mayAsk: true })
  const ended: EndedSignIn[] = []
  // One after the other: each may ask the same authorization server.
  const { entries, damaged } = await listServerEntries(store)
  for (const entry of entries.filter(isMeant)) ended.push(await end(input, store, entry))
  // With a profile it may be another one's.
  for (const { name } of only === undefined ? damaged : []) ended.push(await forgetDamaged(store, name))
  for (const provider of (await listProviders(store)).filter(isMeant))
    ended.push(await endAtProvider(store, provider))
  await forgetProviders(store, only)
  return ended
}

/** The profile that was named: without one, all are meant. */
function onlyProfile(input: Input): string | undefined {
  return input.options['profile'] === undefined ? undefined : readProfile(input)
}

function ofProfile(input: Input): string {
  const only = onlyProfile(input)
  return only === undefined ? '' : ` with the profile ${only}`
}

/** The sign-in that served several servers. */
async function endAtProvider(store: CredentialStore, provider: KeptProvider): Promise<EndedSignIn> {
  const { issuer, profile, clientId, clientSecret } = provider
  const before = await ifReadable(() => describeProvider(store, provider))
  const client = { clientId, clientSecret }
  const revocation = await signOutAtProvider({ issuer, client, store, profile, outbound: outboundTo(issuer) })
  const about = { server: issuer, profile, signed_in: revocation !== undefined, issuer }
  return { ...about, revocation, expires_at: before?.expires_at }
}

async function end(
  input: Input,
  store: CredentialStore,
  { server, profile }: { readonly server: string; readonly profile: string },
): Promise<EndedSignIn> {
  const way = { kind: 'none', reason: 'signing out needs nobody' } as const
  const of: Input = { ...input, options: { ...input.options, profile } }
  const entry = await ifReadable(() => readServerEntry(store, serverName({ server, profile })))
  const before = await ifReadable(() => describeSignIn(store, { server, profile }))
  try {
    const { client } = await openClient(of, { server }, { way, store })
    const { revocation, tokensMayRemain } = await client.signOut()
    await forgetWay(store, { server, profile })
    return {
      server,
      profile,
      signed_in: revocation !== undefined,
      issuer: entry?.issuer,
      revocation,
      expires_at: before?.expires_at,
      ...(tokensMayRemain && { tokens_may_remain: true }),
    }
  } catch (error) {
    if (!isDamaged(error)) throw error
    return endDamaged(store, { server, profile }, entry)
  }
}

/** A record that says neither which server it is about nor where the tokens are. */
async function forgetDamaged(store: CredentialStore, name: string): Promise<EndedSignIn> {
  await store.remove(name)
  const about = { server: 'a server whose record cannot be read', profile: defaultProfile, issuer: undefined }
  return { ...about, signed_in: true, revocation: unrevoked, expires_at: undefined, tokens_may_remain: true }
}

/** What cannot be read cannot be revoked either, but it can be deleted: else a damaged record would stay for ever. */
async function endDamaged(
  store: CredentialStore,
  of: { readonly server: string; readonly profile: string },
  entry: ServerEntry | undefined,
): Promise<EndedSignIn> {
  if (entry !== undefined) await store.remove(tokenName(entry))
  await store.remove(serverName(of))
  await forgetWay(store, of)
  const about = {
    ...of,
    signed_in: true,
    issuer: entry?.issuer,
    revocation: unrevoked,
    expires_at: undefined,
  }
  return { ...about, ...(entry === undefined && { tokens_may_remain: true }) }
}

const unrevoked: SignedOut['revocation'] = { refreshToken: 'failed', accessToken: 'failed' }

/** Undefined for a record that was damaged: it is deleted like the others. */
async function ifReadable<Value>(read: () => Promise<Value | undefined>): Promise<Value | undefined> {
  try {
    return await read()
  } catch (error) {
    if (isDamaged(error)) return undefined
    throw error
  }
}

/** Both halves, each on its own: that the credentials are gone here, and what became of the tokens at their issuer. */
function inWords({
  server,
  profile,
  signed_in: wasSignedIn,
  issuer = 'the server that issued them',
  revocation,
  expires_at: endsAt,
  tokens_may_remain: mayRemain,
}: EndedSignIn): string {
  const who = `${plain(server)}${profile === defaultProfile ? '' : ` (profile ${profile})`}`
  if (!wasSignedIn || revocation === undefined) return `You were not signed in to ${who}.`
  const at = plain(issuer)
  const { refreshToken, accessToken } = revocation
  const outcomes = [refreshToken, accessToken].filter((outcome) => outcome !== 'absent')
  const gone = `You are signed out of ${who}: its credentials are deleted here`
  if (outcomes.every((outcome) => outcome === 'revoked')) return `${gone}, and revoked at ${at}.`
  const byHand = 'End the access there, on its page of connected applications.'
  if (refreshToken === 'unsupported') return `${gone}. ${at} revokes no tokens. ${byHand}`
  const rest =
    mayRemain === true ? ' Its tokens may be left in the store: where they are could not be read.' : ''
  if (refreshToken === 'failed') return `${gone}. They were NOT revoked at ${at}. ${byHand}${rest}`
  const refresh = refreshToken === 'revoked' ? ', and the refresh token is revoked' : ''
  const why = accessToken === 'unsupported' ? 'revokes no access tokens' : 'could not revoke the access token'
  return `${gone}${refresh}. ${at} ${why}: a copy of it would work ${howLong(endsAt)}.`
}

function howLong(end: string | undefined): string {
  const seconds = end === undefined ? 0 : (Date.parse(end) - Date.now()) / 1000
  return seconds > 0 ? `for ${spanInWords(seconds)} at most` : 'until it ends by itself'
}
