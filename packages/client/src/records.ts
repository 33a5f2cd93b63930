import { createHash } from 'node:crypto'
import { isJsonObject, type JsonObject, readStrictText } from '@warder/protocol'
import type { CredentialStore } from './storage/credential-store.ts'
import { isDamaged, type StoreUnavailable } from './storage/store-unavailable.ts'
import { silent, type Trace } from './trace.ts'

/** What a user has at one protected resource. All times are seconds since 1970. */
export interface TokenSet {
  readonly accessToken: string
  readonly tokenType: 'Bearer' | 'DPoP'
  /** Absent: the server did not say; it counts as valid until the resource refuses it. */
  readonly expiresAt?: number | undefined
  /** Absent: never given, or the authorization server has said that it is over (then only a sign-in helps). */
  readonly refreshToken?: string | undefined
  /** Granted. */
  readonly scopes?: readonly string[] | undefined
  /** Asked for. */
  readonly asked?: readonly string[] | undefined
  readonly obtainedAt: number
  /** One more at each write, so that processes see who has been here. */
  readonly generation: number
  /** The private key that the tokens are bound to. */
  readonly dpopKey?: JsonWebKey | undefined
  readonly idToken?: string | undefined
}

/** How a client is known to one authorization server. */
export interface Registration {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
  /** One of the `token_endpoint_auth_method` values. */
  readonly authMethod: string
  readonly redirectUris: readonly string[]
  readonly how: 'pre-registered' | 'document' | 'dynamic'
  readonly registeredAt: number
  readonly registrationAccessToken?: string | undefined
  readonly registrationClientUri?: string | undefined
}

/** The account of who names none. */
export const defaultProfile = 'default'

/** What is known of a server that a user signed in to: enough to find the tokens and to refresh them. */
export interface ServerEntry {
  /** As the user wrote it. */
  readonly server: string
  readonly profile: string
  readonly issuer: string
  readonly resource: string
  readonly clientId: string
  /** Where the metadata of the authorization server is when the user overrode discovery; a refresh goes by it too. */
  readonly metadataUrl?: string | undefined
  /** Its authorization server is one of revision 2025-03-26, which may have no metadata. */
  readonly legacy?: '2025-03-26' | undefined
  /** What is sent as `resource` in place of `resource`, or false for nothing: the user overrode it, and a refresh goes by it too. */
  readonly sendResource?: string | false | undefined
  readonly scopes: readonly string[]
}

/** The name of a token set: of one client at one issuer, for one resource and one account (CL-36, Q13). */
export function tokenName(of: {
  readonly issuer: string
  readonly clientId: string
  readonly resource: string
  readonly profile: string
}): string {
  return nameOf('tokens', [of.issuer, of.clientId, of.resource, of.profile])
}

/** The name of a registration: of one issuer (CL-57), one account and one kind of redirect URI. */
export function registrationName(of: {
  readonly issuer: string
  readonly profile: string
  readonly redirectClass: string
}): string {
  return nameOf('registration', [of.issuer, of.profile, of.redirectClass])
}

/** The name of the entry for a server as the user wrote it. */
export function serverName(of: { readonly server: string; readonly profile: string }): string {
  return nameOf('server', [of.server, of.profile])
}

/** JSON keeps the parts apart whatever stands in them; compared raw, nothing is normalised. */
function nameOf(kind: string, parts: readonly string[]): string {
  return `${kind}-${createHash('sha256')
    .update(JSON.stringify([kind, ...parts]))
    .digest('hex')}`
}

/**
 * The token set of this name. One that cannot be read (of a newer version, or damaged) counts as absent, stays where it is until
 * something is written in its place, and the trace says so. Throws what the store throws.
 */
export async function readTokens(
  store: CredentialStore,
  name: string,
  trace: Trace = silent,
): Promise<TokenSet | undefined> {
  return load(store, name, readTokenRecord, trace)
}

export async function writeTokens(store: CredentialStore, name: string, tokens: TokenSet): Promise<void> {
  await store.write(name, recordOf('tokens', tokens))
}

/** The registration of this name; see `readTokens` for one that cannot be read. */
export async function readStoredRegistration(
  store: CredentialStore,
  name: string,
  trace: Trace = silent,
): Promise<Registration | undefined> {
  return load(store, name, readRegistrationRecord, trace)
}

export async function writeRegistration(
  store: CredentialStore,
  name: string,
  registration: Registration,
): Promise<void> {
  await store.write(name, recordOf('registration', registration))
}

/** The entry of this name; see `readTokens` for one that cannot be read. */
export async function readServerEntry(
  store: CredentialStore,
  name: string,
  trace: Trace = silent,
): Promise<ServerEntry | undefined> {
  return load(store, name, readServerRecord, trace)
}

export async function writeServerEntry(
  store: CredentialStore,
  name: string,
  entry: ServerEntry,
): Promise<void> {
  await store.write(name, recordOf('server', entry))
}

/** What a store knows of the servers that somebody signed in to. */
export interface StoredServers {
  readonly entries: readonly ServerEntry[]
  /** Those that the store refuses to give out, by the name of the record: they are there, whatever they say. */
  readonly damaged: readonly { readonly name: string; readonly trouble: StoreUnavailable }[]
}

/** All servers that somebody signed in to with this store, of all profiles; one that is damaged does not hide the others. */
export async function listServerEntries(
  store: CredentialStore,
  trace: Trace = silent,
): Promise<StoredServers> {
  const entries: ServerEntry[] = []
  const damaged: StoredServers['damaged'][number][] = []
  for (const name of (await store.list()).filter((one) => one.startsWith('server-'))) {
    try {
      const entry = await readServerEntry(store, name, trace)
      if (entry !== undefined) entries.push(entry)
    } catch (error) {
      if (!isDamaged(error)) throw error
      damaged.push({ name, trouble: error })
    }
  }
  return { entries, damaged }
}

/** A record that this version does not understand. The message names the field at most, never a value. */
export class UnreadableRecord extends Error {
  override readonly name = 'UnreadableRecord'
}

async function load<Value>(
  store: CredentialStore,
  name: string,
  read: (text: string) => Value,
  trace: Trace,
): Promise<Value | undefined> {
  const text = await store.read(name)
  if (text === undefined) return undefined
  try {
    return read(text)
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error
    trace({ step: 'store', outcome: 'failed', why: `${error.message}; it counts as absent`, data: { name } })
    return undefined
  }
}

const version = 1

function recordOf(kind: string, value: object): string {
  return JSON.stringify({ version, kind, ...value })
}

/** Whether a value may stand in a field; a field that is not `optional` must be there. */
interface Field {
  readonly optional?: true
  readonly holds: (value: unknown) => boolean
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
/** What may go into a header: a record that somebody changed must not end one and begin another. */
const isToken = (value: unknown): boolean => typeof value === 'string' && /^[\x21-\x7e]+$/.test(value)
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)
const isKey = (value: unknown): boolean => isJsonObject(value) && isText(value['kty'])
const oneOf =
  (...words: readonly string[]) =>
  (value: unknown): boolean =>
    words.some((word) => word === value)
const must = (holds: Field['holds']): Field => ({ holds })
const may = (holds: Field['holds']): Field => ({ holds, optional: true })

const tokenFields: Readonly<Record<keyof TokenSet, Field>> = {
  accessToken: must(isToken),
  tokenType: must(oneOf('Bearer', 'DPoP')),
  expiresAt: may(isCount),
  refreshToken: may(isToken),
  scopes: may(isTexts),
  asked: may(isTexts),
  obtainedAt: must(isCount),
  generation: must(isCount),
  dpopKey: may(isKey),
  idToken: may(isToken),
}

const registrationFields: Readonly<Record<keyof Registration, Field>> = {
  issuer: must(isText),
  clientId: must(isText),
  clientSecret: may(isText),
  authMethod: must(isText),
  redirectUris: must(isTexts),
  how: must(oneOf('pre-registered', 'document', 'dynamic')),
  registeredAt: must(isCount),
  registrationAccessToken: may(isToken),
  registrationClientUri: may(isText),
}

const serverFields: Readonly<Record<keyof ServerEntry, Field>> = {
  server: must(isText),
  profile: must(isText),
  issuer: must(isText),
  resource: must(isText),
  clientId: must(isText),
  metadataUrl: may(isText),
  legacy: may(oneOf('2025-03-26')),
  sendResource: may((value) => value === false || isText(value)),
  scopes: must(isTexts),
}

/** The text of a record as a token set. Throws `UnreadableRecord` for everything else. */
export function readTokenRecord(text: string): TokenSet {
  return readFields('tokens', tokenFields, text) as unknown as TokenSet
}

/** The text of a record as a registration. Throws `UnreadableRecord` for everything else. */
export function readRegistrationRecord(text: string): Registration {
  return readFields('registration', registrationFields, text) as unknown as Registration
}

/** The text of a record as an entry for a server. Throws `UnreadableRecord` for everything else. */
export function readServerRecord(text: string): ServerEntry {
  return readFields('server', serverFields, text) as unknown as ServerEntry
}

function readFields(kind: string, fields: Readonly<Record<string, Field>>, text: string): JsonObject {
  const { version: written, kind: said, ...values } = readObject(kind, text)
  if (written !== version) throw new UnreadableRecord(`a ${kind} record of a version that is not known here`)
  if (said !== kind) throw new UnreadableRecord(`a record that is not of ${kind}`)
  for (const name of Object.keys(values)) {
    // One that somebody newer wrote: written again by us, it would lose what we do not know.
    if (!Object.hasOwn(fields, name)) throw new UnreadableRecord(`a ${kind} record with more than is known`)
  }
  for (const [name, { optional, holds }] of Object.entries(fields)) {
    if (!Object.hasOwn(values, name) ? optional !== true : !holds(values[name])) {
      throw new UnreadableRecord(`a ${kind} record with a damaged ${name}`)
    }
  }
  return values
}

function readObject(kind: string, text: string): JsonObject {
  let value: unknown
  try {
    value = readStrictText(text)
  } catch {
    // Not as cause: the parser's words may hold a piece of the text.
    throw new UnreadableRecord(`a ${kind} record that is not JSON`)
  }
  if (!isJsonObject(value)) throw new UnreadableRecord(`a ${kind} record that is no object`)
  return value
}
