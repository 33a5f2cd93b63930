import {
  type Client,
  type ClientOptions,
  type CredentialStore,
  createClient,
  type PreRegistered,
  readServerEntry,
  readStoredRegistration,
  registrationName,
  type SignInWay,
  serverName,
} from '@warder/client'
import { readNetwork } from '@warder/outbound'
import type { Input } from '../command.ts'
import { Problem } from '../problem.ts'
import { readPreRegistered, readProfile, readScopes, readSendResource } from './client-options.ts'
import type { ServerTarget } from './find-server.ts'
import { readKeptWay } from './kept-ways.ts'
import { openCredentialStore } from './open-store.ts'
import { readAssertionKey } from './read-assertion-key.ts'
import type { WayChoice } from './way-choice.ts'

/** A client of one server, composed from a command line, the server's entry and the environment. */
export interface OpenedClient {
  readonly client: Client
  readonly target: ServerTarget
  readonly profile: string
  readonly store: CredentialStore
  /** What the user has registered by hand, if anything. */
  readonly registration: PreRegistered | undefined
}

/** What a command adds to what the command line says. */
export interface OpenOptions
  extends Pick<ClientOptions, 'trace' | 'stepUp' | 'parameters' | 'documentUrl' | 'registration'> {
  readonly way: SignInWay
  /** Of what the client has besides: a key, bound tokens. Default: as at the last sign-in; then a key that is gone is done without. */
  readonly choice?: WayChoice | undefined
  readonly mayAsk?: boolean
  /** One that is open already. */
  readonly store?: CredentialStore | undefined
}

/**
 * Opens a client: network and store from the environment, profile and pins from the command line, else from the server's
 * entry. Sends nothing, and asks nobody anything, but with `mayAsk` for the passphrase of the store, and for a client secret that
 * the command line wants from standard input. Throws what `openCredentialStore` and `createClient` throw.
 */
export async function openClient(
  input: Input,
  target: ServerTarget,
  { mayAsk = false, store: opened, registration, choice: given, ...options }: OpenOptions,
): Promise<OpenedClient> {
  const profile = readProfile(input)
  const store = opened ?? (await openCredentialStore(input.options['store'], { mayAsk }))
  const { server } = target
  const choice = given ?? (await readKeptWay(store, { server, profile }))
  const named = registration ?? (await readPreRegistered(input, target))
  const kept = await loadPreRegistered(store, { server, profile })
  // A client id alone, as configuration files have it, means the client whose secret is in the store.
  const isKept = named === undefined || (named.clientId === kept?.clientId && isAlone(named))
  const client = isKept ? kept : named
  const isItsKey = input.options['private-key'] !== undefined || client?.clientId === kept?.clientId
  const used = withKey(client, isItsKey ? choice : without(choice), { mayLack: given === undefined })
  const allowMissing = input.switches.has('dangerously-allow-missing-pkce')
  const opens = createClient({
    ...options,
    server,
    profile,
    store,
    network: readNetwork(process.env),
    registration: used,
    scopes: readScopes(input, target),
    metadataUrl: input.options['metadata-url'] ?? target.metadataUrl,
    sendResource: readSendResource(input),
    dpop: choice?.dpop,
    ...(allowMissing && { dangerouslyAllowMissingPkce: () => true }),
  })
  return { client: opens, target, profile, store, registration: used }
}

/** A configuration file that names another client gets no signature of this one's key. */
function without(choice: WayChoice | undefined): WayChoice | undefined {
  return choice && { ...choice, keyFile: undefined }
}

/** The client with its private key, and with the issuer that alone may see what it proves itself with. */
function withKey(
  client: PreRegistered | undefined,
  choice: WayChoice | undefined,
  { mayLack }: { readonly mayLack: boolean },
): PreRegistered | undefined {
  if (client === undefined) {
    if (choice?.keyFile === undefined) return undefined
    throw new Problem('--private-key needs a --client-id.', 2)
  }
  const issuer = choice?.issuer ?? client.issuer
  if (choice?.keyFile === undefined) return { ...client, issuer }
  try {
    const assertionKey = readAssertionKey(choice)
    return { ...client, issuer, clientSecret: undefined, authMethod: undefined, assertionKey }
  } catch (error) {
    if (mayLack && error instanceof Problem) return { ...client, issuer }
    throw error
  }
}

function isAlone({ clientSecret, assertionKey }: PreRegistered): boolean {
  return clientSecret === undefined && assertionKey === undefined
}

/**
 * The credentials that the user brought to the last sign-in: the next one needs them again, and should not ask for them. They
 * stay with the issuer where they have worked.
 */
async function loadPreRegistered(
  store: CredentialStore,
  of: { readonly server: string; readonly profile: string },
): Promise<PreRegistered | undefined> {
  const entry = await readServerEntry(store, serverName(of))
  if (entry === undefined) return undefined
  const { issuer, clientId } = entry
  const redirectClass = `client ${clientId}`
  const name = registrationName({ issuer, profile: of.profile, redirectClass })
  const kept = await readStoredRegistration(store, name)
  if (kept?.how !== 'pre-registered') return undefined
  const { clientSecret, authMethod } = kept
  return { issuer, clientId, clientSecret, authMethod }
}
