import {
  type CredentialStore,
  readServerEntry,
  readStoredRegistration,
  readTokens,
  registrationName,
  type ServerEntry,
  type StoreKind,
  serverName,
  type TokenSet,
  tokenName,
} from '@warder/client'
import { isJsonObject, type JsonObject, Refusal, readCompactJws } from '@warder/protocol'
import { plain } from '../output.ts'
import { defaultProfile } from './default-profile.ts'
import { momentInWords } from './in-words.ts'
import { type KeptProvider, readKeptWay, readProvider, readProviderTokens } from './kept-ways.ts'
import type { WayChoice, WayName } from './way-choice.ts'
import { missingFileOf, wayInWords } from './way-in-words.ts'

/** A stored sign-in as it may be shown: no token, no secret. Times in ISO 8601. */
export interface SignInDescription {
  readonly server: string
  readonly profile: string
  /** Whether the tokens are of use: good now, or to be renewed without a person. */
  readonly signed_in: boolean
  readonly issuer: string
  readonly resource: string
  /** As the issuer names it; nobody has verified that here. */
  readonly account: string | undefined
  readonly scopes: readonly string[]
  readonly expires_at: string | undefined
  /** Whether it goes on without a person when it ends. */
  readonly refreshable: boolean
  readonly store: StoreKind
  readonly client: { readonly id: string; readonly registration: string | undefined }
  /** How it came about; `person` where that is not known. */
  readonly way: WayName
  /** The same in words; absent for a person. */
  readonly by: string | undefined
  /** What has to be there to renew it without a person, and is not. */
  readonly missing_file: string | undefined
  readonly identity_provider: string | undefined
}

/** The sign-in at an identity provider, which serves all servers of an organisation. */
export interface ProviderDescription {
  readonly identity_provider: string
  readonly profile: string
  readonly client_id: string
  readonly signed_in: boolean
  readonly account: string | undefined
  readonly expires_at: string | undefined
  readonly refreshable: boolean
  readonly store: StoreKind
}

/** What the store knows of a sign-in; undefined when there never was one. */
export async function describeSignIn(
  store: CredentialStore,
  of: Pick<ServerEntry, 'server' | 'profile'>,
): Promise<SignInDescription | undefined> {
  const entry = await readServerEntry(store, serverName(of))
  if (entry === undefined) return undefined
  const { server, profile, issuer, resource, clientId } = entry
  const tokens = await readTokens(store, tokenName(entry))
  const way = (await readKeptWay(store, of)) ?? { way: 'person' }
  const redirectClass = `client ${clientId}`
  const registration = await readStoredRegistration(
    store,
    registrationName({ issuer, profile, redirectClass }),
  )
  return {
    server,
    profile,
    signed_in: tokens !== undefined && (isOfUse(tokens) || (await goesOn(way, store, profile))),
    issuer,
    resource,
    account: tokens && accountOf(tokens),
    scopes: tokens?.scopes ?? entry.scopes,
    expires_at: endOf(tokens),
    refreshable: tokens?.refreshToken !== undefined,
    store: store.kind,
    client: { id: clientId, registration: registration?.how },
    way: way.way,
    by: way.way === 'person' ? undefined : wayInWords(way),
    missing_file: missingFileOf(way),
    identity_provider: way.idp,
  }
}

/** What the store knows of the sign-in at a provider. */
export async function describeProvider(
  store: CredentialStore,
  provider: KeptProvider,
): Promise<ProviderDescription> {
  const tokens = await readProviderTokens(store, provider)
  return {
    identity_provider: provider.issuer,
    profile: provider.profile,
    client_id: provider.clientId,
    signed_in: tokens !== undefined && isOfUse(tokens),
    account: tokens && accountOf(tokens),
    expires_at: endOf(tokens),
    refreshable: tokens?.refreshToken !== undefined,
    store: store.kind,
  }
}

function isOfUse({ expiresAt, refreshToken }: TokenSet): boolean {
  return refreshToken !== undefined || expiresAt === undefined || expiresAt > Date.now() / 1000
}

/** Whether new tokens come without a person when these have ended. */
async function goesOn(way: WayChoice, store: CredentialStore, profile: string): Promise<boolean> {
  const { idp: issuer, idpClientId: clientId } = way
  if (way.way === 'person' || missingFileOf(way) !== undefined) return false
  if (way.way !== 'enterprise') return true
  if (issuer === undefined || clientId === undefined) return false
  const provider = await readProvider(store, { issuer, clientId, profile })
  return provider !== undefined && (await describeProvider(store, provider)).signed_in
}

function endOf(tokens: TokenSet | undefined): string | undefined {
  return tokens?.expiresAt === undefined ? undefined : new Date(tokens.expiresAt * 1000).toISOString()
}

/** The first of the names that tokens have for a user. */
function accountOf({ idToken, accessToken }: TokenSet): string | undefined {
  const claims = [idToken, accessToken].flatMap((token) => (token === undefined ? [] : [claimsOf(token)]))
  for (const claim of ['email', 'preferred_username', 'sub']) {
    const found = claims.map((one) => one[claim]).find((value) => typeof value === 'string')
    if (typeof found === 'string' && found !== '') return found
  }
  return undefined
}

function claimsOf(token: string): JsonObject {
  try {
    const { payload } = readCompactJws(token)
    return isJsonObject(payload) ? payload : {}
  } catch (error) {
    if (error instanceof Refusal) return {}
    throw error
  }
}

/** Where something is kept, as a person says it. */
const storeInWords: Readonly<Record<StoreKind, string>> = {
  keychain: 'the keychain of this computer',
  'encrypted-file': 'an encrypted file',
  memory: 'memory only: gone when this ends',
  'plain-file': 'a file that is not encrypted',
}

const registrationInWords: Readonly<Record<string, string>> = {
  'pre-registered': 'registered by you',
  document: 'known by its metadata document',
  dynamic: 'registered by itself',
}

/** The same as rows of label and words. Texts from other computers are made harmless. */
export function signInRows(sign: SignInDescription, now: number): readonly (readonly [string, string])[] {
  const how = registrationInWords[sign.client.registration ?? '']
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['profile', sign.profile === defaultProfile ? undefined : sign.profile],
    ['issued by', plain(sign.issuer)],
    ['account', sign.account === undefined ? undefined : plain(sign.account)],
    ['by', sign.by],
    ['may', plain(sign.scopes.join(' ')) || 'what the server gives without being asked'],
    ['ends', endInWords(sign, now)],
    ['kept in', storeInWords[sign.store]],
    ['client id', sign.way === 'workload' ? undefined : withHow(sign.client.id, how)],
  ]
  return rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
}

function withHow(clientId: string, how: string | undefined): string {
  return `${plain(clientId)}${how === undefined ? '' : ` (${how})`}`
}

/** The same for a provider. */
export function providerRows(
  provider: ProviderDescription,
  now: number,
): readonly (readonly [string, string])[] {
  const { profile, account, client_id: clientId } = provider
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['for', 'the servers of its organisation, by --enterprise'],
    ['profile', profile === defaultProfile ? undefined : profile],
    ['account', account === undefined ? undefined : plain(account)],
    ['ends', endInWords(provider, now)],
    ['kept in', storeInWords[provider.store]],
    ['client id', plain(clientId)],
  ]
  return rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
}

function endInWords(
  sign: Pick<ProviderDescription, 'signed_in' | 'expires_at' | 'refreshable'> & Partial<SignInDescription>,
  now: number,
): string {
  const { signed_in: isSignedIn, expires_at: end, refreshable, way = 'person', missing_file: missing } = sign
  if (!isSignedIn) return 'it has ended; sign in again'
  const moment =
    end === undefined ? 'the server did not say when' : momentInWords(Date.parse(end) / 1000, now)
  const isRenewed = refreshable || (way !== 'person' && missing === undefined)
  return `${moment}; ${isRenewed ? 'it is renewed without you' : 'then sign in again'}`
}
