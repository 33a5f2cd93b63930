import { createHash, randomBytes } from 'node:crypto'
import type { Owner } from '../protect/claim-owner.ts'
import { openBrowser, type Tokens } from '../protect/scripted-sign-in.ts'

const redirectUri = 'http://127.0.0.1:7777/callback'

/** A code that nobody has redeemed yet. */
export interface Authorized {
  readonly clientId: string
  /** Presents the code at the token endpoint. */
  redeem(): Promise<Response>
}

/** The parts of a sign-in, each of which may be another node's. */
export type Part = 'register' | 'authorize' | 'login' | 'consent'

/** Registers a client and signs the owner in, up to the code. `before` is told what comes next. */
export async function authorize(
  { issuer, resource }: { readonly issuer: string; readonly resource: string },
  owner: Owner,
  before: (part: Part) => void = () => {},
): Promise<Authorized> {
  before('register')
  const registered = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Of several nodes', redirect_uris: [redirectUri] }),
  })
  const { client_id: clientId } = (await registered.json()) as { client_id: string }
  const verifier = randomBytes(32).toString('base64url')
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    state: 'nodes',
  })
  const browser = openBrowser(issuer)
  before('authorize')
  const login = await browser.get(`${issuer}/authorize?${query}`)
  before('login')
  const consent = await browser.submit(login, { ...owner })
  before('consent')
  const end = await browser.submit(consent, { decision: 'allow' })
  const code = new URL(end.url).searchParams.get('code')
  if (code === null) throw new Error(`no code at ${end.url}: ${end.html}`)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    resource,
  })
  return { clientId, redeem: () => fetch(`${issuer}/token`, { method: 'POST', body }) }
}

/** The tokens of an answer that has some. */
export async function readTokens(answer: Response): Promise<Tokens> {
  if (!answer.ok) throw new Error(`no tokens: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Tokens
}
