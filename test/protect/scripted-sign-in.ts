import { createHash, randomBytes } from 'node:crypto'

export interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly scope: string
}

/** A client and a browser in one, as plain requests: registers, signs in, consents, and redeems the code. */
export async function signIn(options: {
  readonly issuer: string
  readonly resource: string
  readonly email: string
  readonly password: string
  readonly scope?: string
  /** Scopes to switch on besides the basic ones. */
  readonly switchOn?: readonly string[]
}): Promise<{ readonly clientId: string; readonly tokens: Tokens }> {
  const { issuer, resource } = options
  const redirectUri = 'http://127.0.0.1:7777/callback'
  const { client_id: clientId } = await json(
    await fetch(`${issuer}/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'Scripted', redirect_uris: [redirectUri] }),
    }),
  )
  const verifier = randomBytes(32).toString('base64url')
  const request = new URLSearchParams({
    response_type: 'code',
    client_id: String(clientId),
    redirect_uri: redirectUri,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    resource,
    state: 'scripted',
    ...(options.scope === undefined ? {} : { scope: options.scope }),
  })
  const browser = openBrowser(issuer)
  const login = await browser.get(`${issuer}/authorize?${request}`)
  const consent = await browser.submit(login, { email: options.email, password: options.password })
  const end = await browser.submit(consent, { decision: 'allow' }, options.switchOn ?? [])
  const code = new URL(end.url).searchParams.get('code')
  if (code === null)
    throw new Error(`no code at ${end.url}: ${end.html.replaceAll(/<[^>]*>/g, ' ').slice(0, 500)}`)
  const tokens = await json(
    await fetch(`${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: String(clientId),
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
        resource,
      }),
    }),
  )
  return { clientId: String(clientId), tokens: tokens as unknown as Tokens }
}

/** Presents a refresh token. */
export function refresh(issuer: string, clientId: string, token: string): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: clientId, refresh_token: token })
  return fetch(`${issuer}/token`, { method: 'POST', body })
}

/** One JSON-RPC request of revision 2026-07-28 with a token. */
export function call(
  endpoint: string,
  token: string,
  method: string,
  params: Record<string, unknown> = {},
): Promise<Response> {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'scripted', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  }
  return fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': method,
      ...(typeof params['name'] === 'string' ? { 'mcp-name': params['name'] } : {}),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: meta } }),
  })
}

export interface ShownPage {
  /** Of the last answer; of a redirect that leaves the server, that of the redirect. */
  readonly status: number
  readonly url: string
  readonly html: string
}

/** Follows redirects and keeps cookies, as far as our own pages need it; stops where another origin begins. */
export function openBrowser(issuer: string): {
  get(url: string): Promise<ShownPage>
  submit(page: ShownPage, fields: Record<string, string>, switchOn?: readonly string[]): Promise<ShownPage>
} {
  const cookies = new Map<string, string>()

  const go = async (url: string, init: RequestInit = {}, redirect = 0): Promise<ShownPage> => {
    if (new URL(url).origin !== new URL(issuer).origin) return { status: redirect, url, html: '' }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie } })
    for (const set of response.headers.getSetCookie()) {
      const [pair = ''] = set.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    const location = response.headers.get('location')
    const { status } = response
    if (location !== null) return go(new URL(location, url).href, {}, status)
    return { status, url, html: await response.text() }
  }

  return {
    get: (url) => go(url),
    submit(page, fields, switchOn = []) {
      const action = /<form[^>]*action="([^"]*)"/.exec(page.html)?.[1]
      const token = /name="form_token"[^>]*value="([^"]*)"/.exec(page.html)?.[1]
      if (action === undefined || token === undefined)
        throw new Error(`no form at ${page.url}: ${page.html.slice(0, 500)}`)
      const body = new URLSearchParams({ ...fields, form_token: token })
      for (const scope of switchOn) body.append('scope', scope)
      return go(new URL(action, page.url).href, {
        method: 'POST',
        body,
        headers: { origin: new URL(issuer).origin },
      })
    },
  }
}

async function json(response: Response): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`)
  return body
}
