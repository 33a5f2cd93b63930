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
import { momentInWords } from './in-words.ts'

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
  const redirectClass = `client ${clientId}`
  const registration = await readStoredRegistration(
    store,
    registrationName({ issuer, profile, redirectClass }),
  )
  return {
    server,
    profile,
    signed_in: tokens !== undefined && isOfUse(tokens, Date.now() / 1000),
    issuer,
    resource,
    account: tokens && accountOf(tokens),
    scopes: tokens?.scopes ?? entry.scopes,
    expires_at: tokens?.expiresAt === undefined ? undefined : new Date(tokens.expiresAt * 1000).toISOString(),
    refreshable: tokens?.refreshToken !== undefined,
    store: store.kind,
    client: { id: clientId, registration: registration?.how },
  }
}

function isOfUse({ expiresAt, refreshToken }: TokenSet, now: number): boolean {
  return refreshToken !== undefined || expiresAt === undefined || expiresAt > now
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
export const storeInWords: Readonly<Record<StoreKind, string>> = {
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
    ['profile', sign.profile === 'default' ? undefined : sign.profile],
    ['issued by', plain(sign.issuer)],
    ['account', sign.account === undefined ? undefined : plain(sign.account)],
    ['may', plain(sign.scopes.join(' ')) || 'what the server gives without being asked'],
    ['ends', endInWords(sign, now)],
    ['kept in', storeInWords[sign.store]],
    ['client id', `${plain(sign.client.id)}${how === undefined ? '' : ` (${how})`}`],
  ]
  return rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
}

function endInWords(
  { signed_in: isSignedIn, expires_at: end, refreshable }: SignInDescription,
  now: number,
): string {
  if (!isSignedIn) return 'it has ended; sign in again'
  const moment =
    end === undefined ? 'the server did not say when' : momentInWords(Date.parse(end) / 1000, now)
  return `${moment}; ${refreshable ? 'it is renewed without you' : 'then sign in again'}`
}
