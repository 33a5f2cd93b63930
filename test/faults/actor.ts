import { createHash, randomBytes } from 'node:crypto'
import type { Owner } from '../protect/claim-owner.ts'
import { openBrowser, type ShownPage, type Tokens } from '../protect/scripted-sign-in.ts'
import { owner } from './stage.ts'

/** What came of one request: its status and body, or nothing, since the server died over it. */
export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly retryAfter: string | null
}

/** A user and a client in one, one step at a time: each step may meet a fault. */
export interface Actor {
  readonly clientId: string
  /** Opens `/authorize`. */
  open(): Promise<SignIn>
  redeem(code: string): Promise<Answer | undefined>
  refresh(token: string): Promise<Answer | undefined>
  revoke(token: string): Promise<Answer | undefined>
  /** The whole way, where nothing may fail. */
  getCode(): Promise<string>
  getTokens(): Promise<Tokens>
}

/** One visit in a browser. */
export interface SignIn {
  readonly login: ShownPage
  /** With other words than the right ones, if given. */
  sendLogin(typed?: Owner): Promise<ShownPage | undefined>
  allow(consent: ShownPage): Promise<ShownPage | undefined>
}

const redirectUri = 'http://127.0.0.1:7777/callback'
const verifier = randomBytes(32).toString('base64url')

export async function createActor(issuer: string, resource: string, user = owner): Promise<Actor> {
  const registered = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Actor', redirect_uris: [redirectUri] }),
  })
  const clientId = String(((await registered.json()) as { client_id: string }).client_id)
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    state: 'state',
  })

  const post = (path: string, fields: Record<string, string>): Promise<Answer | undefined> =>
    unlessDead(async () => {
      const body = new URLSearchParams({ ...fields, client_id: clientId })
      const answer = await fetch(`${issuer}${path}`, { method: 'POST', body })
      const text = await answer.text()
      const retryAfter = answer.headers.get('retry-after')
      return { status: answer.status, body: text === '' ? {} : JSON.parse(text), retryAfter }
    })
  const redeem: Actor['redeem'] = (code) =>
    post('/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })
  const open = async (): Promise<SignIn> => {
    const browser = openBrowser(issuer)
    const login = await browser.get(`${issuer}/authorize?${query}`)
    return {
      login,
      sendLogin: (typed = user) => unlessDead(() => browser.submit(login, { ...typed })),
      allow: (consent) => unlessDead(() => browser.submit(consent, { decision: 'allow' })),
    }
  }
  const getCode = async (): Promise<string> => {
    const signIn = await open()
    const code = readCode(await signIn.allow((await signIn.sendLogin())!))
    if (code === undefined) throw new Error('no code came')
    return code
  }
  return {
    clientId,
    open,
    redeem,
    refresh: (token) => post('/token', { grant_type: 'refresh_token', refresh_token: token }),
    revoke: (token) => post('/revoke', { token }),
    getCode,
    async getTokens() {
      return (await redeem(await getCode()))?.body as unknown as Tokens
    },
  }
}

/** The code that the browser brought back, if it did. */
export function readCode(page: ShownPage | undefined): string | undefined {
  return (page && new URL(page.url).searchParams.get('code')) ?? undefined
}

/** A connection that breaks is what a client sees of a server that dies. */
async function unlessDead<Result>(send: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await send()
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
