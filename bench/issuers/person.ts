import { createHash } from 'node:crypto'
import { Client, type Dispatcher } from 'undici'
import { type Issuer, redirectUri, resource } from './issuer.ts'

/** One connection with a browser and a client program behind it. */
export interface Person {
  /** The whole code flow: authorization request, redirects, token request. Leaves a refresh token for `refresh`. */
  signInAndRedeem(): Promise<void>
  /** The first half of it. */
  getCode(): Promise<string>
  /** The second half. */
  redeem(code: string): Promise<void>
  /** Refreshes with the newest refresh token. */
  refresh(): Promise<void>
  /** Refreshes with a given token, which is spent by that. */
  refreshWith(token: string): Promise<void>
  close(): Promise<void>
}

const verifier = 'bench-verifier-bench-verifier-bench-verifier'
/** Of every code that a person redeems. */
export const challenge: string = createHash('sha256').update(verifier).digest('base64url')
const mostRedirects = 8
const formType = 'application/x-www-form-urlencoded'

/** Opens a kept-alive connection and signs a user in. */
export async function openPerson(issuer: Issuer): Promise<Person> {
  const client = new Client(issuer.origin, { pipelining: 1 })
  const cookies = new Map(splitCookies(await issuer.signIn()))
  let refreshToken = ''

  const send = async (
    method: 'GET' | 'POST',
    path: string,
    form?: URLSearchParams,
  ): Promise<Dispatcher.ResponseData> => {
    const response = await client.request({
      method,
      path,
      headers: {
        host: issuer.host,
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form === undefined ? {} : { 'content-type': formType, origin: `https://${issuer.host}` }),
      },
      body: form?.toString() ?? null,
    })
    for (const set of [response.headers['set-cookie'] ?? []].flat()) {
      for (const [name, value] of splitCookies(set.split(';')[0] ?? '')) {
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
    }
    return response
  }

  const getCode = async (): Promise<string> => {
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: issuer.clientId,
      redirect_uri: redirectUri,
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: issuer.scope,
      resource,
      state: 'unchanged',
    })
    let answer = await send('GET', `${issuer.authorizePath}?${query}`)
    for (let redirects = 0; redirects < mostRedirects; redirects += 1) {
      const text = await answer.body.text()
      const { location } = answer.headers
      if (typeof location === 'string') {
        const target = new URL(location, issuer.origin)
        if (location.startsWith(redirectUri)) return checkText(target.searchParams.get('code'), location)
        answer = await send('GET', target.pathname + target.search)
      } else {
        const step = issuer.consent?.(text)
        if (step === undefined) throw new Error(`${issuer.name} shows a page: ${text}`)
        answer = await send('POST', step.path, step.form)
      }
    }
    throw new Error(`${issuer.name} redirects without end`)
  }

  const askForTokens = async (form: Readonly<Record<string, string>>): Promise<void> => {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: issuer.tokenPath,
      headers: { host: issuer.host, 'content-type': formType },
      body: new URLSearchParams({ client_id: issuer.clientId, resource, ...form }).toString(),
    })
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${issuer.name} answers ${statusCode}: ${text}`)
    const { access_token, refresh_token } = JSON.parse(text) as Record<string, string>
    checkText(access_token, text)
    if (access_token?.split('.').length !== 3) throw new Error(`${issuer.name} issues no JWT: ${text}`)
    refreshToken = checkText(refresh_token, text)
  }

  const redeem = (code: string): Promise<void> =>
    askForTokens({
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })
  const refreshWith = (token: string): Promise<void> =>
    askForTokens({ grant_type: 'refresh_token', refresh_token: token })

  return {
    getCode,
    redeem,
    refreshWith,
    signInAndRedeem: async () => redeem(await getCode()),
    refresh: () => refreshWith(refreshToken),
    close: () => client.close(),
  }
}

function splitCookies(header: string): [string, string][] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
}

/** What is measured must be the whole thing: an error answered fast is none. */
function checkText(value: string | null | undefined, answer: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`not the answer that was wanted: ${answer}`)
  return value
}
