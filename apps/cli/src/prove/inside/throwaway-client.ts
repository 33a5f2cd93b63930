import { createHash, randomBytes } from 'node:crypto'
import type { OutboundFetch } from '@warder/outbound'
import type { Store } from '@warder/store'
import type { CaseClient } from './find-case.ts'
import { type ShownPage, startBrowser } from './throwaway-browser.ts'
import { postForm, type Visited, visit } from './visit.ts'

/** A code that was given, and what redeems it. */
export interface GivenCode {
  readonly code: string
  readonly verifier: string
}

export interface GivenTokens {
  readonly access: string
  readonly refresh: string
}

/** A user and a client in one: whatever a sign-in takes, with nothing wrong unless an attempt says otherwise. */
export interface ThrowawayClient {
  readonly redirectUri: string
  /** Opens the authorization endpoint, without following where it leads. */
  authorize(redirectUri: string): Promise<Visited>
  /** Asks for these scopes, signs in, and consents to all that is offered. */
  signIn(resource: string, scopes: readonly string[]): Promise<GivenCode>
  /** The token endpoint with a code; `null` leaves the verifier out. */
  redeem(given: GivenCode, verifier?: string | null): Promise<Visited>
  /** The token endpoint with a refresh token. */
  refresh(token: string): Promise<Visited>
}

/** The redirect URI that gives a client its class: a program on this computer, or a web page. */
function redirectUriOf({ class: kind, id }: CaseClient): string {
  if (kind === 'local') return 'http://127.0.0.1:7777/callback'
  const origin = kind === 'document' && id !== undefined ? new URL(id).origin : 'https://throwaway.invalid'
  return `${origin}/callback`
}

/** Serves the one metadata document of the throwaway client; nothing is ever fetched from elsewhere. */
export function throwawayFetch(client: CaseClient): OutboundFetch {
  return async (url) => {
    if (url !== client.id) throw new Error('nothing is fetched here')
    const document = {
      client_id: url,
      client_name: 'Throwaway client',
      redirect_uris: [redirectUriOf(client)],
    }
    return {
      status: 200,
      headers: new Headers({ 'content-type': 'application/json' }),
      body: new TextEncoder().encode(JSON.stringify(document)),
    }
  }
}

/** Makes the client known in the way that its class needs, and gives it a user to act for. */
export async function makeThrowawayClient(options: {
  readonly issuer: string
  readonly store: Store
  readonly client: CaseClient
  readonly resource: string
  readonly credentials: { readonly email: string; readonly password: string }
}): Promise<ThrowawayClient> {
  const { issuer, client } = options
  const redirectUri = redirectUriOf(client)
  const id = client.class === 'document' ? (client.id ?? '') : await register(options, redirectUri)
  const tokenEndpoint = `${issuer}/token`

  const authorizationUrl = (asked: {
    readonly resource: string
    readonly scopes: readonly string[]
    readonly challenge: string
    readonly redirect: string
  }): string => {
    const { resource, scopes, challenge, redirect } = asked
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: id,
      redirect_uri: redirect,
      state: 'throwaway',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      resource,
      ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    })
    return `${issuer}/authorize?${query}`
  }

  return {
    redirectUri,
    authorize: (redirect) =>
      visit(
        authorizationUrl({
          resource: options.resource,
          scopes: [],
          challenge: makePkce().challenge,
          redirect,
        }),
        {},
      ),
    async signIn(resource, scopes) {
      const { verifier, challenge } = makePkce()
      const browser = startBrowser(issuer)
      const asked = { resource, scopes, challenge, redirect: redirectUri }
      const login = await browser.open(authorizationUrl(asked))
      const next = await browser.submit(login, Object.entries(options.credentials))
      // A consent that is remembered is not asked for again.
      const end =
        next.left === undefined
          ? await browser.submit(next, [['decision', 'allow'], ...switchesOn(next)])
          : next
      const code = end.left?.searchParams.get('code')
      if (typeof code !== 'string') {
        const error = end.left?.searchParams.get('error')
        throw new Error(
          error === null || error === undefined ? `the sign-in ended with ${end.status}` : error,
        )
      }
      return { code, verifier }
    },
    redeem: ({ code, verifier }, sent = verifier) =>
      postForm(tokenEndpoint, [
        ['grant_type', 'authorization_code'],
        ['client_id', id],
        ['code', code],
        ['redirect_uri', redirectUri],
        ...(sent === null ? [] : [['code_verifier', sent] as const]),
      ]),
    refresh: (token) =>
      postForm(tokenEndpoint, [
        ['grant_type', 'refresh_token'],
        ['client_id', id],
        ['refresh_token', token],
      ]),
  }
}

/** The tokens of an answer; throws when it is a refusal. */
export function readTokens(answer: Visited): GivenTokens {
  const body = answer.status === 200 ? (JSON.parse(answer.body) as Record<string, unknown>) : {}
  const { access_token: access, refresh_token: refresh } = body
  if (typeof access !== 'string' || typeof refresh !== 'string')
    throw new Error(`the token endpoint answered ${answer.status} ${answer.body.slice(0, 100)}`)
  return { access, refresh }
}

async function register(
  { issuer, store, client }: { issuer: string; store: Store; client: CaseClient },
  redirectUri: string,
): Promise<string> {
  const document = { client_name: 'Throwaway client', redirect_uris: [redirectUri] }
  const answer = await visit(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(document),
  })
  if (answer.status !== 201) throw new Error(`the registration was answered with ${answer.status}`)
  const { client_id: registered } = JSON.parse(answer.body) as { client_id: string }
  if (client.class !== 'pre-registered') return registered
  // An operator's entry: the same facts, under the name that the policy has for it.
  const id = client.id ?? 'throwaway'
  const stored = await store.clients.load(registered)
  await store.clients.add({
    id,
    kind: 'pre-registered',
    metadata: stored?.metadata ?? '',
    now: Date.now(),
  })
  return id
}

function makePkce(): { readonly verifier: string; readonly challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}

/** Every switch of the consent page, as a user presses them. */
function switchesOn({ body }: ShownPage): readonly (readonly [string, string])[] {
  return [...body.matchAll(/<input[^>]*type="checkbox"[^>]*>/g)].map(([input]) => {
    const attribute = (name: string): string =>
      readText(new RegExp(` ${name}="([^"]*)"`).exec(input)?.[1] ?? '')
    return [attribute('name'), attribute('value')]
  })
}

const readText = (escaped: string): string =>
  escaped
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
