import {
  type CredentialStore,
  type Discovery,
  listServerEntries,
  readServerEntry,
  readTokens,
  type ServerEntry,
  serverName,
  type TokenSet,
  tokenName,
} from '@warder/client'
import type { OutboundFetch, UserFetch } from '@warder/outbound'
import { describeSignIn, type SignInDescription } from '../../client/describe-sign-in.ts'
import { explainToken } from '../../client/explain-token.ts'
import { knock, legacyInitialize } from '../../knock.ts'
import { signInCheck } from '../exit-code.ts'
import type { Tell } from '../finding.ts'
import { tellRegistration } from './your-registration.ts'

const group = 'your sign-in'

interface Patient {
  readonly server: string
  readonly profile: string
  /** The command that signs in there. */
  readonly login: string
  /** The command that shows the token. */
  readonly explain: string
}

/** What is stored for this server, whether the token says what it should, and whether the server takes it. */
export async function checkSignIn(
  { server, profile, login, explain }: Patient,
  store: CredentialStore,
  of: {
    readonly fetch: UserFetch
    readonly outbound: OutboundFetch
    readonly discovery: Discovery | undefined
  },
  tell: Tell,
): Promise<void> {
  const entry = await readServerEntry(store, serverName({ server, profile }))
  const tokens = entry === undefined ? undefined : await readTokens(store, tokenName(entry))
  const sign = await describeSignIn(store, { server, profile })
  if (entry === undefined || tokens === undefined || sign === undefined) {
    const { entries } = await listServerEntries(store)
    const elsewhere = entries.filter((one) => one.server === server).map((one) => one.profile)
    const found = elsewhere.length > 0 ? `nobody, but as ${elsewhere.join(', ')} (--profile)` : 'nobody'
    tell({ group, check: signInCheck, outcome: 'bad', found, fix: login })
    return
  }
  tellPlace(entry, of.discovery, login, tell)
  tellToken(entry, tokens, sign, explain, tell)
  tellRenewal(sign, login, tell)
  await tellRegistration(entry, store, of, login, tell)
  await tellTaken(sign, tokens, of.fetch, login, tell)
}

function tellPlace(entry: ServerEntry, discovery: Discovery | undefined, login: string, tell: Tell): void {
  if (discovery === undefined) return
  const isSame = entry.issuer === discovery.issuer && entry.resource === discovery.resource
  tell({
    group,
    check: 'where',
    outcome: isSame ? 'good' : 'bad',
    found: isSame
      ? `at ${entry.issuer}`
      : `at ${entry.issuer} for ${entry.resource}, but the server now names ${discovery.issuer} and ${discovery.resource}`,
    ...(!isSame && { fix: login }),
  })
}

function tellToken(
  entry: ServerEntry,
  tokens: TokenSet,
  sign: SignInDescription,
  explain: string,
  tell: Tell,
): void {
  const now = Date.now() / 1000
  const explained = explainToken(tokens.accessToken, { now, issuer: entry.issuer, resource: entry.resource })
  // One that has ended counts for nothing where the next call gets another.
  const problems = hasEnded(tokens) && sign.signed_in ? [] : explained.problems
  tell({
    group,
    check: 'token',
    outcome: problems.length > 0 ? 'bad' : 'good',
    found:
      problems[0] ?? (explained.form === 'opaque' ? 'opaque: only the server can read it' : 'its claims fit'),
    ...(problems.length > 0 && { fix: `see all of it by: ${explain}` }),
  })
}

const hasEnded = ({ expiresAt }: TokenSet): boolean =>
  expiresAt !== undefined && expiresAt * 1000 <= Date.now()

function tellRenewal({ refreshable, way, by, ...sign }: SignInDescription, login: string, tell: Tell): void {
  const check = 'refresh'
  if (sign.missing_file !== undefined)
    tell({
      group,
      check,
      outcome: 'note',
      found: `${sign.missing_file} is not there any more, and without it nothing is renewed`,
      fix: `put it back, or name another: ${login}`,
    })
  else if (refreshable) tell({ group, check, outcome: 'good', found: 'it is renewed by itself' })
  else if (way !== 'person' && by !== undefined)
    tell({ group, check, outcome: 'good', found: `it is renewed without you, by ${by}` })
  else
    tell({
      group,
      check,
      outcome: 'note',
      found: 'there is no refresh token: you sign in again when it ends',
    })
}

async function tellTaken(
  { server, signed_in: goesOn }: SignInDescription,
  tokens: TokenSet,
  fetch: UserFetch,
  login: string,
  tell: Tell,
): Promise<void> {
  const check = 'accepted'
  const { accessToken, tokenType } = tokens
  if (hasEnded(tokens)) {
    if (goesOn) tell({ group, check, outcome: 'skipped', found: 'it has ended; the next call renews it' })
    else
      tell({
        group,
        check,
        outcome: 'bad',
        found: 'it has ended, and nothing renews it',
        fix: login,
      })
    return
  }
  if (tokenType === 'DPoP') {
    tell({ group, check, outcome: 'skipped', found: 'bound to a key: not tried here' })
    return
  }
  const status = await knock(fetch, server, legacyInitialize(accessToken)).then(
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
      fix: `${login}; if it stays, the server checks for something else than it says`,
    }),
  })
}
