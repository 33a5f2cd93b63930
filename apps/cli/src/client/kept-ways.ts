import { createHash } from 'node:crypto'
import {
  type CredentialStore,
  type DpopMode,
  isDamaged,
  providerTokenName,
  readTokens,
  type TokenSet,
} from '@warder/client'
import { isJsonObject, type JsonObject, readStrictText } from '@warder/protocol'
import { dpopModes, exchangedTypes, type WayChoice, type WayName } from './way-choice.ts'

/** A server and an account, as a user names them. */
export interface ServerAccount {
  readonly server: string
  readonly profile: string
}

/** This client at an identity provider, where a person has signed in once for all servers of an organisation. */
export interface KeptProvider {
  readonly issuer: string
  readonly profile: string
  readonly clientId: string
  readonly clientSecret?: string | undefined
}

type ProviderName = Pick<KeptProvider, 'issuer' | 'clientId' | 'profile'>

const version = 1
const [wayPrefix, providerPrefix] = ['way-', 'provider-']

/** How the last sign-in at a server came about; undefined for one that is not known, or not by this version. */
export async function readKeptWay(store: CredentialStore, of: ServerAccount): Promise<WayChoice | undefined> {
  const record = await load(store, nameOfWay(of))
  const way = ways.find((name) => name === record?.['way'])
  if (record === undefined || way === undefined) return undefined
  const text = (name: string): string | undefined => readText(record[name])
  return {
    way,
    keyFile: text('keyFile'),
    keyId: text('keyId'),
    tokenFile: text('tokenFile'),
    tokenType: exchangedTypes.find((type) => type === record['tokenType']),
    issuer: text('issuer'),
    idp: text('idp'),
    idpClientId: text('idpClientId'),
    dpop: dpopModes.find((mode): mode is DpopMode => mode === record['dpop']),
  }
}

const ways: readonly WayName[] = ['person', 'client-credentials', 'workload', 'enterprise', 'exchange']

/** Keeps it, once it has worked. */
export async function keepWay(store: CredentialStore, of: ServerAccount, choice: WayChoice): Promise<void> {
  await store.write(nameOfWay(of), JSON.stringify({ version, ...choice }))
}

export async function forgetWay(store: CredentialStore, of: ServerAccount): Promise<void> {
  await store.remove(nameOfWay(of))
}

/** What is kept of this client at a provider; undefined where nobody has signed in there. */
export async function readProvider(
  store: CredentialStore,
  of: ProviderName,
): Promise<KeptProvider | undefined> {
  return readProviderRecord(store, nameOfProvider(of))
}

/** Every provider where somebody has signed in with this store, but those whose record cannot be read. */
export async function listProviders(store: CredentialStore): Promise<readonly KeptProvider[]> {
  const found = await Promise.all((await namesOfProviders(store)).map((name) => readReadable(store, name)))
  return found.filter((one) => one !== undefined)
}

async function readReadable(store: CredentialStore, name: string): Promise<KeptProvider | undefined> {
  try {
    return await readProviderRecord(store, name)
  } catch (error) {
    if (isDamaged(error)) return undefined
    throw error
  }
}

async function namesOfProviders(store: CredentialStore): Promise<readonly string[]> {
  return (await store.list()).filter((name) => name.startsWith(providerPrefix))
}

/** Keeps it, once it has worked. */
export async function keepProvider(store: CredentialStore, provider: KeptProvider): Promise<void> {
  const name = nameOfProvider(provider)
  const text = JSON.stringify({ version, ...provider })
  if ((await store.read(name)) !== text) await store.write(name, text)
}

/**
 * Forgets all of them, those too that cannot be read; or those of one profile, where a record that cannot be read stays, since it may
 * belong to another one.
 */
export async function forgetProviders(store: CredentialStore, profile?: string): Promise<void> {
  for (const name of await namesOfProviders(store)) {
    if (profile === undefined || (await readReadable(store, name))?.profile === profile)
      await store.remove(name)
  }
}

/** What is left of the sign-in there, as it is: nothing is refreshed. */
export async function readProviderTokens(
  store: CredentialStore,
  { issuer, clientId, profile }: KeptProvider,
): Promise<TokenSet | undefined> {
  return readTokens(store, providerTokenName({ issuer, client: { clientId }, profile }))
}

async function readProviderRecord(store: CredentialStore, name: string): Promise<KeptProvider | undefined> {
  const record = await load(store, name)
  const [issuer, profile, clientId] = ['issuer', 'profile', 'clientId'].map((field) =>
    readText(record?.[field]),
  )
  if (issuer === undefined || profile === undefined || clientId === undefined) return undefined
  return { issuer, profile, clientId, clientSecret: readText(record?.['clientSecret']) }
}

/** Full hashes over JSON keep the parts apart, whatever stands in them. */
function nameOf(prefix: string, parts: readonly string[]): string {
  return `${prefix}${createHash('sha256')
    .update(JSON.stringify([prefix, ...parts]))
    .digest('hex')}`
}

const nameOfWay = ({ server, profile }: ServerAccount): string => nameOf(wayPrefix, [server, profile])
const nameOfProvider = ({ issuer, clientId, profile }: ProviderName): string =>
  nameOf(providerPrefix, [issuer, clientId, profile])

const readText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** A record of a version that is not known here counts as absent, and stays until something takes its place. */
async function load(store: CredentialStore, name: string): Promise<JsonObject | undefined> {
  const text = await store.read(name)
  try {
    const value = text === undefined ? undefined : readStrictText(text)
    return isJsonObject(value) && value['version'] === version ? value : undefined
  } catch {
    return undefined
  }
}
