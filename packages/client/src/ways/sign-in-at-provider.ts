import { randomBytes } from 'node:crypto'
import type { OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import { checkCodeFlow } from '../check-code-flow.ts'
import { isLoopbackUrl } from '../check-endpoint.ts'
import { finishSignIn } from '../finish-sign-in.ts'
import { loadServerMetadata } from '../load-server-metadata.ts'
import { readJwtClaims } from '../read-jwt-claims.ts'
import type { ServerMetadata } from '../read-server-metadata.ts'
import { defaultProfile, type TokenSet, tokenName } from '../records.ts'
import { startSignIn } from '../start-sign-in.ts'
import type { CredentialStore } from '../storage/credential-store.ts'
import type { TokenClient } from '../tokens/authenticate-client.ts'
import { keepTokens, useTokens } from '../tokens/keep-tokens.ts'
import { refreshTokens } from '../tokens/refresh-tokens.ts'
import { requestToken } from '../tokens/request-token.ts'
import { TokenEndpointError } from '../tokens/token-endpoint-error.ts'
import { silent, type Trace } from '../trace.ts'
import type { SecretSource } from './read-secret-source.ts'
import type { BrowserWay } from './sign-in-way.ts'

export interface ProviderSignIn {
  /** The identity provider, by its issuer identifier. */
  readonly issuer: string
  /** This client as the provider knows it. */
  readonly client: TokenClient
  readonly way: BrowserWay
  readonly store: CredentialStore
  readonly profile?: string | undefined
  /** May reach the provider, wherever the organisation runs it. */
  readonly outbound: OutboundFetch
  /** Default `openid` and, where the provider lists it, `offline_access`. */
  readonly scopes?: readonly string[] | undefined
  /** For providers that do PKCE without listing it. The challenge is sent in any case. */
  readonly dangerouslyAllowMissingPkce?: boolean | undefined
  readonly trace?: Trace | undefined
  /** Milliseconds. */
  readonly now?: (() => number) | undefined
  readonly signal?: AbortSignal | undefined
}

/** As long as a person may take. */
const timeoutMs = 15 * 60_000

/**
 * ID tokens of an identity provider, for `enterpriseWay`: one sign-in of the person (OpenID Connect, code flow with PKCE, state,
 * nonce and `iss`, EM-24) serves all MCP servers of the organisation until it ends. What is stored is used while it lasts, then
 * refreshed, then the person is asked again.
 *
 * Reading throws what a sign-in throws, and `id-token.unusable` for an ID token that is not for this sign-in. Its signature is not
 * verified: it comes straight from the provider's token endpoint over TLS (OpenID Connect Core section 3.1.3.7).
 */
export function signInAtProvider(
  options: ProviderSignIn,
): SecretSource & { readonly read: () => Promise<string> } {
  const { store, trace, now } = options
  const name = providerTokenName(options)
  const current = async (): Promise<TokenSet | undefined> =>
    useTokens({ store, name, trace, now, refresh: (tokens) => refreshAt(options, tokens) })
  return {
    async read() {
      const held = (await current()) ?? (await signInOnce(options, name, current))
      return held.idToken ?? unusable('none')
    },
  }
}

/** The name under which the tokens of a sign-in at a provider are kept. */
export function providerTokenName({
  issuer,
  client,
  profile = defaultProfile,
}: Pick<ProviderSignIn, 'issuer' | 'profile'> & { readonly client: Pick<TokenClient, 'clientId'> }): string {
  return tokenName({ issuer, clientId: client.clientId, resource: 'openid', profile })
}

async function signInOnce(
  options: ProviderSignIn,
  name: string,
  current: () => Promise<TokenSet | undefined>,
): Promise<TokenSet> {
  const { store } = options
  const work = async (): Promise<TokenSet> =>
    (await current()) ?? (await keepTokens(store, name, await authorize(options)))
  return store.locked(`sign-in.${name}`, work, { timeoutMs })
}

async function authorize(options: ProviderSignIn): Promise<TokenSet> {
  const { client, way, outbound, trace = silent, now = Date.now } = options
  const { signal = new AbortController().signal } = options
  const metadata = await loadMetadata(options)
  const server = checkCodeFlow(metadata, trace, () => options.dangerouslyAllowMissingPkce === true)
  try {
    const [redirectUri] = await way.redirectUris()
    if (redirectUri === undefined) throw new Refusal('redirect.missing')
    const nonce = randomBytes(32).toString('base64url')
    const { url, record } = startSignIn({
      server,
      clientId: client.clientId,
      redirectUri,
      resource: metadata.issuer,
      sendResource: false,
      scopes: options.scopes ?? scopesAt(metadata),
      parameters: { nonce },
    })
    trace({
      step: 'authorize',
      outcome: 'tried',
      url: server.authorizationEndpoint,
      why: 'the identity provider',
    })
    const callback = await way.authorize({ url, state: record.state, redirectUri, signal })
    const code = finishSignIn(record, callback, trace)
    const fields = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: record.verifier,
    }
    const tokens = await requestToken({ metadata, registration: client, fields, outbound, trace, now })
    return endsWithIdToken(tokens, { issuer: metadata.issuer, client, nonce, now })
  } finally {
    await way.close()
  }
}

function scopesAt({ scopesSupported }: ServerMetadata): readonly string[] {
  return scopesSupported?.includes('offline_access') ? ['openid', 'offline_access'] : ['openid']
}

async function refreshAt(options: ProviderSignIn, tokens: TokenSet): Promise<TokenSet> {
  const { issuer, client, outbound, trace, now = Date.now } = options
  const { refreshToken } = tokens
  const ended = new TokenEndpointError({ error: 'invalid_grant', transient: false })
  if (refreshToken === undefined) throw ended
  const metadata = await loadMetadata(options)
  const held = { ...tokens, refreshToken, idToken: undefined }
  const about = { metadata, registration: client, resource: undefined, outbound, trace, now }
  const fresh = await refreshTokens({ ...about, tokens: held })
  // A provider that refreshes without a new ID token: the old one has ended, and only a sign-in brings another.
  if (fresh.idToken === undefined) throw ended
  return endsWithIdToken(fresh, { issuer, client, now })
}

async function loadMetadata({ issuer, outbound, trace = silent }: ProviderSignIn): Promise<ServerMetadata> {
  return loadServerMetadata({ issuer, outbound, trace, onLoopback: isLoopbackUrl(issuer) })
}

/** The tokens, which are of use as long as the ID token is: the access token is for nobody here. */
function endsWithIdToken(
  tokens: TokenSet,
  expected: {
    readonly issuer: string
    readonly client: TokenClient
    /** Absent after a refresh: then none is needed (OpenID Connect Core section 12.2). */
    readonly nonce?: string
    readonly now: () => number
  },
): TokenSet {
  const { iss, aud, exp, nonce } = readJwtClaims(tokens.idToken ?? '') ?? unusable('form')
  if (iss !== expected.issuer) return unusable('iss')
  if (![aud].flat().includes(expected.client.clientId)) return unusable('aud')
  if (expected.nonce !== undefined && nonce !== expected.nonce) return unusable('nonce')
  if (typeof exp !== 'number' || exp <= expected.now() / 1000) return unusable('exp')
  return { ...tokens, expiresAt: Math.floor(exp) }
}

function unusable(detail: string): never {
  throw new Refusal('id-token.unusable', { detail })
}
