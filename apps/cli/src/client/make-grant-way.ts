import {
  type BrowserWay,
  type CredentialStore,
  clientCredentialsWay,
  enterpriseWay,
  exchangeWay,
  type GrantWay,
  SignInRequired,
  signInAtProvider,
  type Trace,
  workloadWay,
} from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'
import { createOutbound, reachOf, readNetwork } from '@warder/outbound'
import { Problem } from '../problem.ts'
import { type KeptProvider, keepProvider, listProviders, readProvider } from './kept-ways.ts'
import type { WayChoice, WayName } from './way-choice.ts'

/** What a way may need besides what was chosen. */
export interface GrantSurroundings {
  readonly store: CredentialStore
  readonly profile: string
  /** Lets a person sign in at an identity provider. */
  readonly person: BrowserWay
  /** This client's secret at the identity provider, given just now; else that which is kept. */
  readonly idpClientSecret?: string | undefined
  readonly trace?: Trace | undefined
}

type GrantName = Exclude<WayName, 'person'>
type Make = (choice: WayChoice, of: GrantSurroundings) => GrantWay | Promise<GrantWay>

const makers: Readonly<Record<GrantName, Make>> = {
  'client-credentials': () => clientCredentialsWay(),
  workload: ({ tokenFile, issuer }) => workloadWay({ token: { file: needed(tokenFile) }, issuer }),
  exchange: ({ tokenFile, tokenType = 'access_token', issuer }) =>
    exchangeWay({ issuer: needed(issuer), subject: { token: { file: needed(tokenFile) }, type: tokenType } }),
  enterprise: makeEnterpriseWay,
}

/** The way of a choice in which nobody has to say yes each time; undefined for a person. Throws `Problem` for what is missing. */
export async function makeGrantWay(
  choice: WayChoice,
  of: GrantSurroundings,
): Promise<GrantWay | undefined> {
  return choice.way === 'person' ? undefined : makers[choice.way](choice, of)
}

function needed(value: string | undefined): string {
  if (value !== undefined) return value
  throw new Problem('what is kept of this sign-in is not whole. Sign in again with all options.')
}

async function makeEnterpriseWay(choice: WayChoice, of: GrantSurroundings): Promise<GrantWay> {
  const { store, person: way, trace } = of
  const provider = await findProvider(choice, of)
  const { issuer, clientId, clientSecret, profile } = provider
  const client = { clientId, clientSecret }
  const outbound = outboundTo(issuer)
  const source = signInAtProvider({ issuer, client, way, store, profile, outbound, trace })
  const token = {
    read: async () => {
      const idToken = await source.read()
      // Now that it has worked.
      await keepProvider(store, provider)
      return idToken
    },
  }
  return enterpriseWay({ provider: { issuer, client }, subject: { type: 'id_token', token }, outbound })
}

/** The provider that was named, or the only one that there is; with the secret that is kept for the same client there. */
async function findProvider(
  { idp, idpClientId }: WayChoice,
  { store, profile, idpClientSecret }: GrantSurroundings,
): Promise<KeptProvider> {
  const known = (await listProviders(store)).filter((one) => one.profile === profile)
  const issuer = idp ?? (known.length === 1 ? known[0]?.issuer : undefined)
  const kept = issuer === undefined ? undefined : await readProvider(store, { issuer, profile })
  const clientId = idpClientId ?? kept?.clientId
  if (issuer === undefined || clientId === undefined) {
    const which = known.length > 1 && idp === undefined ? ' You are signed in at several.' : ''
    throw new Problem(`--enterprise needs --idp URL and --idp-client-id ID the first time.${which}`, 2)
  }
  const clientSecret = idpClientSecret ?? (kept?.clientId === clientId ? kept.clientSecret : undefined)
  return { issuer, profile, clientId, clientSecret }
}

/** The organisation runs its provider where it likes: it is the user who named it. */
export function outboundTo(url: string): OutboundFetch {
  let made: Promise<OutboundFetch> | undefined
  return async (target, request) => {
    made ??= reachOf(url).then((reach) => createOutbound({ network: readNetwork(process.env), reach }))
    return (await made)(target, request)
  }
}

/** Stands for a person where there is none. */
export function nobody(reason: string, server: string): BrowserWay {
  const refuse = (): never => {
    throw new SignInRequired({ server, reason })
  }
  return {
    kind: 'browser',
    redirectUris: async () => refuse(),
    authorize: async () => refuse(),
    close: async () => undefined,
  }
}
