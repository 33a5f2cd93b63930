import { request } from 'node:http'

/** One answer to a request that carries a secret where it does not belong. */
export interface OddAnswer {
  readonly place: string
  readonly status: number
  readonly text: string
}

interface Odd {
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Sends a secret in every place of a request to an MCP endpoint where somebody's mistake or malice may put one. */
export async function sendInOddPlaces(endpoint: string, token: string, secret: string): Promise<OddAnswer[]> {
  const path = new URL(endpoint).pathname
  const quoted = encodeURIComponent(secret)
  const name = secret.replaceAll(/[^A-Za-z0-9-]/g, '-')
  const bearer = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const say = (message: object): string => JSON.stringify({ jsonrpc: '2.0', id: 1, ...message })
  const places: Readonly<Record<string, Odd>> = {
    'query of the endpoint': { path: `${path}?access_token=${quoted}` },
    'path below the endpoint': { path: `${path}/${quoted}` },
    'path of the host': { method: 'GET', path: `/${quoted}` },
    'name of a header': { headers: { ...bearer, [`x-${name}`]: '1' } },
    'value of a header': { headers: { ...bearer, 'x-token': secret, 'user-agent': secret, referer: secret } },
    origin: { headers: { ...bearer, origin: `https://${name}.example` } },
    host: { headers: { ...bearer, host: `${name}.example` } },
    'another scheme': { headers: { authorization: `Basic ${secret}` } },
    'bearer with a mistake': { headers: { authorization: `Bearer ${secret}x` } },
    'two bearers': { headers: { authorization: `Bearer ${secret}, Bearer ${secret}` } },
    traceparent: { headers: { ...bearer, traceparent: secret } },
    'session id': { headers: { ...bearer, 'mcp-session-id': secret } },
    revision: { headers: { ...bearer, 'mcp-protocol-version': secret }, body: say({ method: 'ping' }) },
    'mirrored name': { headers: { ...bearer, 'mcp-name': secret }, body: say({ method: 'ping' }) },
    'JSON that is none': { headers: bearer, body: `{"a": ${secret}` },
    'key of the message': { headers: bearer, body: say({ method: 'ping', [secret]: 1 }) },
    'id of the message': {
      headers: bearer,
      body: JSON.stringify({ jsonrpc: '2.0', id: secret, method: 'ping' }),
    },
    'key given twice': { headers: bearer, body: `{"jsonrpc":"2.0","${secret}":1,"${secret}":2}` },
    'name of a method': { headers: bearer, body: say({ method: secret }) },
    'name of a tool': { headers: bearer, body: say({ method: 'tools/call', params: { name: secret } }) },
    'name of a resource': {
      headers: bearer,
      body: say({ method: 'resources/read', params: { uri: secret } }),
    },
    cursor: { headers: bearer, body: say({ method: 'tools/list', params: { cursor: secret } }) },
    'query of /authorize': { method: 'GET', path: `/authorize?client_id=${quoted}&redirect_uri=${quoted}` },
    'query of /token': { path: `/token?code=${quoted}` },
    'client of /token': {
      path: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Basic ${secret}` },
      body: `grant_type=${quoted}&client_id=${quoted}`,
    },
    'body of /register': {
      path: '/register',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: [secret], [secret]: secret, jwks: secret }),
    },
    'path of a sign-in': { method: 'GET', path: `/authorize/${quoted}` },
    'path of an owner link': { method: 'GET', path: `/owner/${quoted}` },
    'path of metadata': { method: 'GET', path: `/.well-known/oauth-protected-resource/${quoted}` },
    'method of HTTP': { method: 'DELETE', path: `${path}?${quoted}`, headers: bearer },
  }
  const answers: OddAnswer[] = []
  for (const [place, odd] of Object.entries(places)) answers.push({ place, ...(await send(endpoint, odd)) })
  return answers
}

function send(
  endpoint: string,
  { method = 'POST', path, headers = {}, body = '' }: Odd,
): Promise<Omit<OddAnswer, 'place'>> {
  const { hostname, port, pathname } = new URL(endpoint)
  return new Promise((resolve, reject) => {
    const req = request({ hostname, port, method, path: path ?? pathname, headers }, (res) => {
      let text = res.rawHeaders.join('\n')
      res.setEncoding('utf8').on('data', (chunk) => {
        text += chunk
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(body)
  })
}
