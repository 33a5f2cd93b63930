import {
  type CredentialStore,
  type Discovery,
  listServerEntries,
  readTokens,
  type ServerEntry,
  type TokenSet,
  tokenName,
} from '@warder/client'
import type { OutboundFetch, UserFetch } from '@warder/outbound'
import { explainToken } from '../../client/explain-token.ts'
import { signInCheck } from '../exit-code.ts'
import type { Tell } from '../finding.ts'
import { knock } from '../knock.ts'
import { isClientAlive } from '../probe-client.ts'

const group = 'your sign-in'

interface Patient {
  readonly server: string
  readonly profile: string
  /** What follows `warder login` for this server. */
  readonly word: string
}

/** What is stored for this server, whether the token says what it should, and whether the server takes it. */
export async function checkSignIn(
  { server, profile, word }: Patient,
  store: CredentialStore,
  of: {
    readonly fetch: UserFetch
    readonly outbound: OutboundFetch
    readonly discovery: Discovery | undefined
  },
  tell: Tell,
): Promise<void> {
  const entries = await listServerEntries(store)
  const entry = entries.find((one) => one.server === server && one.profile === profile)
  const tokens = entry === undefined ? undefined : await readTokens(store, tokenName(entry))
  if (entry === undefined || tokens === undefined) {
    const elsewhere = entries.filter((one) => one.server === server).map((one) => one.profile)
    const found = elsewhere.length > 0 ? `nobody, but as ${elsewhere.join(', ')} (--profile)` : 'nobody'
    tell({ group, check: signInCheck, outcome: 'bad', found, fix: `warder login ${word}` })
    return
  }
  tellPlace(entry, of.discovery, word, tell)
  tellToken(entry, tokens, word, tell)
  await tellRegistration(entry, of, word, tell)
  await tellTaken(server, tokens, of.fetch, word, tell)
}

function tellPlace(entry: ServerEntry, discovery: Discovery | undefined, word: string, tell: Tell): void {
  if (discovery === undefined) return
  const isSame = entry.issuer === discovery.issuer && entry.resource === discovery.resource
  tell({
    group,
    check: 'where',
    outcome: isSame ? 'good' : 'bad',
    found: isSame
      ? `at ${entry.issuer}`
      : `at ${entry.issuer} for ${entry.resource}, but the server now names ${discovery.issuer} and ${discovery.resource}`,
    ...(!isSame && { fix: `warder login ${word}` }),
  })
}

function tellToken(entry: ServerEntry, tokens: TokenSet, word: string, tell: Tell): void {
  const now = Date.now() / 1000
  const explained = explainToken(tokens.accessToken, { now, issuer: entry.issuer, resource: entry.resource })
  const isEnded = tokens.expiresAt !== undefined && tokens.expiresAt <= now
  const canRefresh = tokens.refreshToken !== undefined
  const problems = isEnded && canRefresh ? [] : explained.problems
  tell({
    group,
    check: 'token',
    outcome: problems.length > 0 ? 'bad' : 'good',
    found:
      problems[0] ?? (explained.form === 'opaque' ? 'opaque: only the server can read it' : 'its claims fit'),
    ...(problems.length > 0 && { fix: `see all of it by: warder token explain ${word}` }),
  })
  tell({
    group,
    check: 'refresh',
    outcome: canRefresh ? 'good' : 'note',
    found: canRefresh
      ? 'it is renewed by itself'
      : 'there is no refresh token: you sign in again when it ends',
  })
}

async function tellRegistration(
  entry: ServerEntry,
  of: { readonly outbound: OutboundFetch; readonly discovery: Discovery | undefined },
  word: string,
  tell: Tell,
): Promise<void> {
  if (of.discovery === undefined || of.discovery.issuer !== entry.issuer) return
  const isAlive = await isClientAlive(entry.clientId, of.discovery, of.outbound)
  tell({
    group,
    check: 'client',
    outcome: isAlive === undefined ? 'skipped' : isAlive ? 'good' : 'bad',
    found:
      isAlive === undefined
        ? 'the authorization server does not say whether it still knows this client'
        : isAlive
          ? 'the authorization server knows this client'
          : 'the authorization server has forgotten this client',
    ...(isAlive === false && { fix: `warder login ${word} (it registers anew)` }),
  })
}

async function tellTaken(
  server: string,
  { accessToken, tokenType, expiresAt }: TokenSet,
  fetch: UserFetch,
  word: string,
  tell: Tell,
): Promise<void> {
  const check = 'accepted'
  if (tokenType === 'DPoP' || (expiresAt !== undefined && expiresAt * 1000 <= Date.now())) {
    const found =
      tokenType === 'DPoP' ? 'bound to a key: not tried here' : 'it has ended; the next call renews it'
    tell({ group, check, outcome: 'skipped', found })
    return
  }
  const status = await knock(fetch, server, accessToken).then(
    (answer) => answer.status,
    () => undefined,
  )
  const isRefused = status === 401 || status === undefined
  tell({
    group,
    check,
    outcome: isRefused ? 'bad' : 'good',
    found:
      status === undefined
        ? 'no answer'
        : isRefused
          ? 'the server refuses it (401)'
          : `the server takes it (${status})`,
    ...(isRefused && {
      fix: `warder login ${word}; if it stays, the server checks for something else than it says`,
    }),
  })
}
