import {
  type BrowserWay,
  type CredentialStore,
  clientCredentialsWay,
  enterpriseWay,
  exchangeWay,
  type GrantContext,
  type GrantWay,
  SignInRequired,
  signInAtProvider,
  TokenEndpointError,
  type Trace,
  workloadWay,
} from '@warder/client'
import { createOutbound, type OutboundFetch, reachOf, readNetwork } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { keepProvider, listProviders, readProvider } from './kept-ways.ts'
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

type Make = (choice: WayChoice, of: GrantSurroundings) => GrantWay | Promise<GrantWay>

const makers: Readonly<Record<Exclude<WayName, 'person'>, Make>> = {
  'client-credentials': () => clientCredentialsWay(),
  workload: ({ tokenFile, issuer }) => workloadWay({ token: { file: needed(tokenFile) }, issuer }),
  exchange: makeExchangeWay,
  enterprise: makeEnterpriseWay,
}

/** The way of a choice in which nobody has to say yes each time. Throws `Problem` for what is missing. */
export async function makeGrantWay(choice: WayChoice, of: GrantSurroundings): Promise<GrantWay> {
  if (choice.way === 'person') throw new Error('a person is no grant')
  return makers[choice.way](choice, of)
}

function needed(value: string | undefined): string {
  if (value !== undefined) return value
  throw new Problem('what is kept of this sign-in is not whole. Sign in again with all options.')
}

function makeExchangeWay({ tokenFile, tokenType = 'access_token', ...choice }: WayChoice): GrantWay {
  const issuer = needed(choice.issuer)
  const way = exchangeWay({ issuer, subject: { token: { file: needed(tokenFile) }, type: tokenType } })
  return {
    ...way,
    obtain: async (context) => {
      const named = context.discovery.metadata.issuer
      if (named === issuer) return way.obtain(context)
      throw new Problem(
        `the server names ${plain(named)} as its authorization server, and --issuer is ${issuer}: the token was not sent.`,
      )
    },
  }
}

async function makeEnterpriseWay(choice: WayChoice, of: GrantSurroundings): Promise<GrantWay> {
  const { store, profile, person: way, trace } = of
  const [issuer, clientId] = [needed(choice.idp), needed(choice.idpClientId)]
  const kept = await readProvider(store, { issuer, clientId, profile })
  const clientSecret = of.idpClientSecret ?? kept?.clientSecret
  const client = { clientId, clientSecret }
  const outbound = outboundTo(issuer)
  const source = signInAtProvider({ issuer, client, way, store, profile, outbound, trace })
  const keep = (): Promise<void> => keepProvider(store, { issuer, profile, clientId, clientSecret })
  const token = {
    read: async () => {
      const idToken = await source.read()
      // A sign-in is there now, which has to be found when everything is to be forgotten.
      if (kept === undefined) await keep()
      return idToken
    },
  }
  const enterprise = enterpriseWay({
    provider: { issuer, client },
    subject: { type: 'id_token', token },
    outbound,
  })
  return {
    ...enterprise,
    obtain: async (context) => {
      let isPast = false
      const tokenRequest: GrantContext['tokenRequest'] = (...request) => {
        isPast = true
        return context.tokenRequest(...request)
      }
      const tokens = await enterprise.obtain({ ...context, tokenRequest }).catch(async (error: unknown) => {
        throw isPast ? error : await problemAt(issuer, error)
      })
      // A secret takes the place of another one once it has worked.
      await keep()
      return tokens
    },
  }
}

/** Two authorization servers take part: it has to be said when it was the first that said no. */
async function problemAt(issuer: string, error: unknown): Promise<unknown> {
  const isItsAnswer =
    error instanceof TokenEndpointError ||
    (error instanceof Refusal && /^(?:outbound|server-metadata)\./.test(error.reason))
  if (!isItsAnswer) return error
  const { clientProblem } = await import('./client-problem.ts')
  const problem = clientProblem(error)
  if (!(problem instanceof Problem)) return problem
  return new Problem(`at your identity provider, ${plain(issuer)}: ${problem.message}`, problem.exitCode)
}

/**
 * The choice with the identity provider that it means: the one that was named, or the only one where somebody has signed in. Throws
 * `Problem` where that is none, or not one alone.
 */
export async function withProvider(
  choice: WayChoice,
  { store, profile }: Pick<GrantSurroundings, 'store' | 'profile'>,
): Promise<WayChoice> {
  const { way, idp, idpClientId } = choice
  if (way !== 'enterprise' || (idp !== undefined && idpClientId !== undefined)) return choice
  const known = (await listProviders(store)).filter((one) => one.profile === profile)
  const meant = known.filter(({ issuer }) => idp === undefined || issuer === idp)
  const [one] = meant
  if (one !== undefined && meant.length === 1)
    return { ...choice, idp: one.issuer, idpClientId: idpClientId ?? one.clientId }
  const which = meant.length > 1 ? ' You have signed in at several: say which.' : ''
  throw new Problem(`--enterprise needs --idp URL and --idp-client-id ID the first time.${which}`, 2)
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
