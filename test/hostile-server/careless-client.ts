/**
 * A client that checks nothing, so that every trap can catch it: it believes what it reads, follows where it is sent, and
 * takes whatever comes back.
 */
interface Json {
  readonly [name: string]: string | undefined
}

const endpoint = process.argv.at(-1) ?? ''
const redirectUri = 'http://127.0.0.1:1/callback'

async function readJson(url: string, init?: RequestInit): Promise<Json> {
  const response = await fetch(url, init)
  return (await response.json()) as Json
}

function call(method: string, token?: string, url = endpoint): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { name: 'read_note' } }),
  })
}

let registration: Json | undefined

async function signIn(challenged: Response): Promise<string> {
  const link =
    /resource_metadata="([^"]+)"/.exec(challenged.headers.get('www-authenticate') ?? '')?.[1] ?? known
  known = link
  const resource = await readJson(link).catch(() => ({}) as Json)
  const issuer: string = resource['authorization_servers']?.[0] ?? endpoint.replace('/mcp', '')
  const at = new URL(issuer)
  const server = await readJson(`${at.origin}/.well-known/oauth-authorization-server${at.pathname}`)
  registration ??= await readJson(server['registration_endpoint'] ?? '', {
    method: 'POST',
    body: JSON.stringify({ redirect_uris: [redirectUri] }),
  })
  const clientId = String(registration['client_id'])
  const page = new URL(server['authorization_endpoint'] ?? '')
  // The challenge of the verifier "x": this client knows no better.
  page.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: redirectUri,
    code_challenge: 'LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE',
  }).toString()
  const answer = await fetch(page, { redirect: 'manual' })
  const code = new URL(answer.headers.get('location') ?? '').searchParams.get('code') ?? ''
  const tokens = await readJson(server['token_endpoint'] ?? '', {
    method: 'POST',
    body: new URLSearchParams({ client_id: clientId, code, code_verifier: 'x', redirect_uri: redirectUri }),
  })
  return String(tokens['access_token']).replace(/[\r\n]/g, '')
}

let known = ''
let token: string | undefined
let at = endpoint
for (let tries = 0; tries < 7; tries += 1) {
  const response = await call('tools/call', token, at)
  if (response.status === 401 || response.status === 403) token = await signIn(response)
  else if (response.status === 307) at = response.headers.get('location') ?? ''
  else {
    const link = /"url":"([^"]+)"/.exec(await response.text())?.[1]
    if (link !== undefined) await fetch(link)
    break
  }
}
