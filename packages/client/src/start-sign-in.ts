import { createHash, randomBytes } from 'node:crypto'
import { formatScope, Refusal } from '@warder/protocol'
import type { CodeFlowServer } from './check-code-flow.ts'

/**
 * All that belongs to one sign-in by a browser, in one record (CL-11): whoever finishes it proves the answer against this and
 * nothing else. Plain JSON; `state` and `verifier` are secrets.
 */
export interface SignInRecord {
  readonly state: string
  readonly verifier: string
  readonly issuer: string
  /** Whether the validated metadata said that answers carry `iss`. */
  readonly sendsIss: boolean
  readonly clientId: string
  readonly redirectUri: string
  /** What was discovered; that and `sent` differ where the user overrode it. */
  readonly resource: string
  /** What is sent as `resource`; undefined: nothing. */
  readonly sent?: string | undefined
  readonly scopes: readonly string[]
}

/** More parameters of the authorization request, such as `prompt`. */
export type AuthorizationParameters = Readonly<Record<string, string>>

/** A sign-in that has begun. */
export interface StartedSignIn {
  readonly url: string
  readonly record: SignInRecord
}

/**
 * Begins a sign-in (OAuth 2.1 section 4.1.1): a state and a verifier of 256 bits each, for this attempt alone, S256 (CL-61), and
 * `resource` byte for byte (CL-20 to CL-23). No scopes means no `scope` parameter (CL-10). Does nothing but make the URL; that
 * the server may be used is proven by its type.
 */
export function startSignIn(of: {
  readonly server: CodeFlowServer
  readonly clientId: string
  readonly redirectUri: string
  readonly resource: string
  /** Default: `resource`; false: the parameter is left out. */
  readonly sendResource?: string | false | undefined
  readonly scopes: readonly string[]
  readonly parameters?: AuthorizationParameters | undefined
}): StartedSignIn {
  const { server, clientId, redirectUri, resource, scopes } = of
  const state = randomBytes(32).toString('base64url')
  const verifier = randomBytes(32).toString('base64url')
  const sent = sentResource(resource, of.sendResource)
  const query = new URLSearchParams({
    ...checkParameters(of.parameters ?? {}),
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(scopes.length > 0 && { scope: formatScope(scopes) }),
    ...(sent !== undefined && { resource: sent }),
  })
  const { authorizationEndpoint, issuer, sendsIss } = server
  const joint = authorizationEndpoint.includes('?') ? '&' : '?'
  return {
    url: `${authorizationEndpoint}${joint}${query}`,
    record: { state, verifier, issuer, sendsIss, clientId, redirectUri, resource, sent, scopes },
  }
}

/** What goes out as `resource`: an override changes this and nothing else, least of all what is checked. */
export function sentResource(resource: string, override: string | false | undefined): string | undefined {
  return override === false ? undefined : (override ?? resource)
}

const ours: ReadonlySet<string> = new Set([
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'redirect_uri',
  'request',
  'request_uri',
  'resource',
  'response_mode',
  'response_type',
  'scope',
  'state',
])

/** Throws `parameter.repeated` for a parameter that this client sends itself. */
export function checkParameters(parameters: AuthorizationParameters): AuthorizationParameters {
  for (const name of Object.keys(parameters)) {
    if (ours.has(name)) throw new Refusal('parameter.repeated', { detail: name })
  }
  return parameters
}
