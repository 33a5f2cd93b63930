import { isLoopbackHost, isSameResource } from '@warder/protocol'
import { type Approach, type Knock, knock, modernRequest } from '../knock.ts'
import { type Check, challengeParameter } from './probe.ts'
import { failed, notApplicable, type ProofRow, passed, warning } from './proof.ts'

type Verdict = Pick<ProofRow, 'outcome' | 'says'>

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token that looks right in every claim and is signed by nobody. */
function unsignedToken(issuer: string | undefined, audience: string): string {
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: issuer ?? audience,
    aud: audience,
    sub: 'stranger',
    client_id: 'stranger',
    jti: 'stranger',
    iat: now,
    exp: now + 600,
    scope: 'admin',
  }
  return `${base64url({ alg: 'none', typ: 'at+jwt' })}.${base64url(claims)}.`
}

function refused(answer: Knock): Verdict {
  if (answer.status === 401) return passed('401')
  if (answer.status >= 400 && answer.status < 500) return passed(`refused with ${answer.status}`)
  if (answer.status >= 500) return warning(`${answer.status}: refused, but as a fault of the server`)
  return failed(`answered ${answer.status}`)
}

function invalidToken(answer: Knock): Verdict {
  if (answer.status !== 401)
    return answer.status < 400
      ? failed(`answered ${answer.status}`)
      : warning(`${answer.status} instead of 401: clients will not sign in again`)
  const error = challengeParameter(answer, 'error')
  return error === 'invalid_token'
    ? passed('401 invalid_token')
    : warning(`401, but error is ${error ?? 'absent'} instead of invalid_token`)
}

const bearer = (token: string): Approach => {
  const { message, headers } = modernRequest('tools/list')
  return { message, headers: { ...headers, authorization: `Bearer ${token}` } }
}

/** What is tried at the MCP endpoint itself. */
export const doorChecks: readonly Check[] = [
  {
    id: 'no-credentials',
    title: 'Request without a token',
    rule: 'RFC 6750 section 3; MCP RS-03, RS-20',
    mustAnswer: true,
    async run({ modern, metadataUrl }) {
      if (modern.status < 400) return failed(`answered ${modern.status}: anybody may call this server`)
      if (modern.status !== 401)
        return failed(`${modern.status} instead of 401: clients cannot tell that they have to sign in`)
      if (challengeParameter(modern, 'error') !== undefined)
        return warning('401, but with an error although no token was sent')
      return metadataUrl === undefined
        ? warning('401 without resource_metadata in WWW-Authenticate')
        : passed('401 with a challenge')
    },
  },
  {
    id: 'older-revision',
    title: 'initialize without a token',
    rule: 'MCP 2025-11-25; OT-02',
    run: async ({ legacy }) => refused(legacy),
  },
  {
    id: 'unauthenticated-list',
    title: 'List of tools without a token',
    rule: 'MCP RS-16',
    async run({ modern, legacy }) {
      const leaks = [modern, legacy].some(
        ({ body }) => body.includes('"inputSchema"') || body.includes('"protocolVersion"'),
      )
      return leaks ? failed('the answer says what the server offers') : passed('nothing is shown')
    },
  },
  {
    id: 'open-stream',
    title: 'Stream (GET) without a token',
    rule: 'MCP OT-04',
    run: async ({ url, fetch }) =>
      refused(await knock(fetch, url, { method: 'GET', headers: { accept: 'text/event-stream' } })),
  },
  {
    id: 'garbage-token',
    title: 'Worthless token',
    rule: 'MCP RS-12',
    mustAnswer: true,
    run: async ({ url, fetch }) => invalidToken(await knock(fetch, url, bearer('garbage'))),
  },
  {
    id: 'alg-none',
    title: 'Unsigned token (alg: none)',
    rule: 'RFC 8725 section 3.1',
    mustAnswer: true,
    run: async ({ url, fetch, issuer }) =>
      invalidToken(await knock(fetch, url, bearer(unsignedToken(issuer, url)))),
  },
  {
    id: 'token-in-query',
    title: 'Token in the query',
    rule: 'MCP CL-27; RFC 6750 section 2',
    async run({ url, fetch, issuer }) {
      const { message, headers } = modernRequest('tools/list')
      return refused(
        await knock(fetch, url, { message, headers, query: { access_token: unsignedToken(issuer, url) } }),
      )
    },
  },
  {
    id: 'header-against-body',
    title: 'Header and body that disagree',
    rule: 'MCP GW-29',
    async run({ url, fetch }) {
      const { message, headers } = modernRequest('tools/call', { name: 'a', arguments: {} })
      return refused(await knock(fetch, url, { message, headers: { ...headers, 'mcp-name': 'b' } }))
    },
  },
  {
    id: 'foreign-origin',
    title: 'Request from a foreign web page',
    rule: 'MCP GW-02',
    async run({ url, fetch }) {
      const { message, headers } = modernRequest('tools/list')
      const answer = await knock(fetch, url, {
        message,
        headers: { ...headers, origin: 'https://stranger.example' },
      })
      const allowed = answer.headers.get('access-control-allow-origin')
      if (
        allowed === 'https://stranger.example' &&
        answer.headers.get('access-control-allow-credentials') === 'true'
      ) {
        return failed('the page may read the answer with the visitor’s cookies')
      }
      return refused(answer)
    },
  },
  {
    id: 'resource-metadata',
    title: 'Protected resource metadata',
    rule: 'RFC 9728; MCP RS-01, RS-02',
    async run({ url, resourceMetadata }) {
      if ('wrong' in resourceMetadata) return failed(resourceMetadata.wrong)
      const { resource, authorization_servers: servers } = resourceMetadata.document
      if (typeof resource !== 'string' || !isSameResource(resource, url))
        return failed(
          `resource is ${JSON.stringify(resource)}, not the address that was asked: clients must not use it`,
        )
      if (!Array.isArray(servers) || servers.length === 0) return failed('authorization_servers is empty')
      return passed(`names ${servers.join(', ')}`)
    },
  },
  {
    id: 'transport',
    title: 'Encryption on the way',
    rule: 'MCP ALL-08',
    async run({ url }) {
      const target = new URL(url)
      if (target.protocol === 'https:') return passed('https')
      return isLoopbackHost(target.hostname)
        ? notApplicable('plain http, on this computer only')
        : failed('plain http: anybody on the way reads the tokens')
    },
  },
]
