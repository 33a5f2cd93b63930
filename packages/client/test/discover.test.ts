import { discover, readServerChallenge, type TraceEvent } from '@warder/client'
import { createOutbound, type OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type HttpServer, startHttpServer } from './rig/http-server.ts'
import { startRig } from './rig/start-rig.ts'

const outbound = createOutbound({ reach: 'loopback' })

/** A server with these documents and nothing else. */
async function serve(documents: (origin: string) => Readonly<Record<string, unknown>>): Promise<HttpServer> {
  const server = await startHttpServer(({ path }) => {
    const found = documents(server.origin)
    if (!Object.hasOwn(found, path)) return { status: 404 }
    const body = found[path]
    return typeof body === 'number' ? { status: body } : { body }
  })
  onTestFinished(() => server.stop())
  return server
}

const asMetadata = (issuer: string, more: Readonly<Record<string, unknown>> = {}): object => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  code_challenge_methods_supported: ['S256'],
  ...more,
})

const inserted = '/.well-known/oauth-protected-resource/mcp'
const root = '/.well-known/oauth-protected-resource'
const rfc8414 = '/.well-known/oauth-authorization-server'
const oidc = '/.well-known/openid-configuration'

const reasonOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'nothing was refused'
  } catch (error) {
    if (error instanceof Refusal) return error.reason
    throw error
  }
}

const paths = (server: HttpServer): readonly string[] => server.seen.map(({ path }) => path)

describe('where the metadata of the resource is', () => {
  const documents = (origin: string): Readonly<Record<string, unknown>> => ({
    '/custom/place.json': {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
      scopes_supported: ['custom'],
    },
    [inserted]: {
      resource: `${origin}/mcp`,
      authorization_servers: [origin],
      scopes_supported: ['inserted'],
    },
    [root]: { resource: origin, authorization_servers: [origin], scopes_supported: ['root'] },
    [rfc8414]: asMetadata(origin),
  })
  const without =
    (...names: readonly string[]) =>
    (origin: string) =>
      Object.fromEntries(Object.entries(documents(origin)).filter(([name]) => !names.includes(name)))

  test('CL-38 the place of the challenge comes first', async () => {
    const server = await serve(documents)
    const resourceMetadata = `${server.origin}/custom/place.json`
    const challenge = { schemes: ['Bearer'], resourceMetadata }
    const found = await discover({ server: `${server.origin}/mcp`, challenge, outbound })
    expect(found.resourceMetadata?.scopesSupported).toEqual(['custom'])
    expect(paths(server)).toEqual(['/custom/place.json', rfc8414])
  })

  test('CL-03 CL-38 else the path-inserted place, and the root is not asked', async () => {
    const server = await serve(documents)
    const found = await discover({ server: `${server.origin}/mcp`, outbound })
    expect(found).toMatchObject({ issuer: server.origin, resource: `${server.origin}/mcp` })
    expect(paths(server)).toEqual([inserted, rfc8414])
  })

  test('CL-38 else the root, whose resource is the whole origin and goes out as it stands there', async () => {
    const server = await serve(without(inserted))
    const found = await discover({ server: `${server.origin}/mcp`, outbound })
    expect(found.resource).toBe(server.origin)
    expect(paths(server)).toEqual([inserted, root, rfc8414])
  })

  test('an announced place that has nothing is not the end', async () => {
    const server = await serve(without('/custom/place.json'))
    const challenge = { schemes: ['Bearer'], resourceMetadata: `${server.origin}/custom/place.json` }
    const found = await discover({ server: `${server.origin}/mcp`, challenge, outbound })
    expect(found.resourceMetadata?.scopesSupported).toEqual(['inserted'])
  })

  test('Q06 an announced place on another origin is not visited', async () => {
    const [server, other] = [await serve(documents), await serve(documents)]
    const challenge = { schemes: ['Bearer'], resourceMetadata: `${other.origin}/custom/place.json` }
    const trace: TraceEvent[] = []
    await discover({
      server: `${server.origin}/mcp`,
      challenge,
      outbound,
      trace: (event) => trace.push(event),
    })
    expect(other.seen).toEqual([])
    expect(trace.map(({ refusal }) => refusal)).toContain('resource-metadata.place')
  })

  test('Q06 CL-67 redirects are not followed, and huge documents are not read', async () => {
    const target = await serve(documents)
    const server = await startHttpServer(({ path }) =>
      path === inserted
        ? { status: 302, headers: { location: `${target.origin}${inserted}` } }
        : path === root
          ? { body: { resource: server.origin, authorization_servers: ['x'.repeat(300_000)] } }
          : { status: 404 },
    )
    onTestFinished(() => server.stop())
    expect(await reasonOf(discover({ server: `${server.origin}/mcp`, outbound }))).toBe('outbound.redirect')
    expect(target.seen).toEqual([])
  })
})

describe('what the resource stands for', () => {
  const found = (resource: (origin: string) => unknown, path: string) =>
    serve((origin) => ({
      [`/.well-known/oauth-protected-resource${path}`]: {
        resource: resource(origin),
        authorization_servers: [origin],
      },
      [rfc8414]: asMetadata(origin),
    }))

  test.each([
    ['/mcp', (origin: string) => `${origin}/mcp`],
    ['/mcp', (origin: string) => origin],
    ['/mcp', (origin: string) => `${origin}/`],
    ['/mcp', (origin: string) => `${origin}/mcp/`],
    ['/a/b', (origin: string) => `${origin}/a`],
    ['/mcp?tenant=1', (origin: string) => `${origin}/mcp?tenant=1`],
  ])('CL-21 CL-22 CL-24 a name of the server itself at %s is taken byte for byte', async (path, resource) => {
    const [place = ''] = path.split('?')
    const server = await found(resource, place)
    const discovery = await discover({ server: `${server.origin}${path}`, outbound })
    expect(discovery.resource).toBe(resource(server.origin))
  })

  test.each([
    ['another origin', () => 'https://evil.example/mcp'],
    ['another port', () => 'http://127.0.0.1:1/mcp'],
    ['a neighbour', (origin: string) => `${origin}/other`],
    ['half a segment', (origin: string) => `${origin}/m`],
    ['something below', (origin: string) => `${origin}/mcp/deeper`],
    ['another query', (origin: string) => `${origin}/mcp?tenant=2`],
    ['a dot segment', (origin: string) => `${origin}/mcp/../mcp`],
    ['user info', (origin: string) => origin.replace('//', '//user@')],
    ['a fragment', (origin: string) => `${origin}/mcp#x`],
  ])('Q05 %s is refused, and nobody is asked who would sign in there', async (_, resource) => {
    const server = await found(resource, '/mcp')
    const trace: TraceEvent[] = []
    const work = discover({ server: `${server.origin}/mcp`, outbound, trace: (event) => trace.push(event) })
    expect(await reasonOf(work)).toBe('resource-metadata.resource')
    expect(paths(server)).toEqual([inserted])
    expect(trace.at(-1)).toMatchObject({ outcome: 'refused', refusal: 'resource-metadata.resource' })
  })

  test.each([
    ['no object', []],
    ['no resource', { authorization_servers: ['https://as.example'] }],
    ['no authorization server', { resource: 'RESOURCE', authorization_servers: [] }],
    [
      'a scope that is none',
      { resource: 'RESOURCE', authorization_servers: ['https://as.example'], scopes_supported: ['a b'] },
    ],
  ])('a document that has %s is refused', async (_, document) => {
    const server = await serve((origin) => ({
      [inserted]: JSON.parse(JSON.stringify(document).replace('RESOURCE', `${origin}/mcp`)),
    }))
    expect(await reasonOf(discover({ server: `${server.origin}/mcp`, outbound }))).toBe(
      'resource-metadata.invalid',
    )
  })
})

describe('the metadata of the authorization server', () => {
  const withIssuer = (path: string, documents: (origin: string) => Readonly<Record<string, unknown>>) =>
    serve((origin) => ({
      [inserted]: { resource: `${origin}/mcp`, authorization_servers: [`${origin}${path}`] },
      ...documents(origin),
    }))

  test('CL-04 CL-40 CL-42 an issuer without path: RFC 8414, then OpenID', async () => {
    const server = await withIssuer('', (origin) => ({ [oidc]: asMetadata(origin) }))
    await discover({ server: `${server.origin}/mcp`, outbound })
    expect(paths(server)).toEqual([inserted, rfc8414, oidc])
  })

  test('CL-40 CL-41 an issuer with a path: inserted, inserted, appended', async () => {
    const server = await withIssuer('/t1', (origin) => ({ [`/t1${oidc}`]: asMetadata(`${origin}/t1`) }))
    const { issuer } = await discover({ server: `${server.origin}/mcp`, outbound })
    expect(issuer).toBe(`${server.origin}/t1`)
    expect(paths(server)).toEqual([inserted, `${rfc8414}/t1`, `${oidc}/t1`, `/t1${oidc}`])
  })

  test.each([
    ['another host', (origin: string) => origin.replace('127.0.0.1', 'localhost')],
    ['a slash', (origin: string) => `${origin}/`],
    ['upper case', (origin: string) => origin.replace('http', 'HTTP')],
    ['nothing at all', () => undefined],
  ])('Q03 CL-43 O11-02 an issuer that differs by %s ends the search', async (_, issuer) => {
    const server = await withIssuer('', (origin) => ({
      [rfc8414]: { ...asMetadata(origin), issuer: issuer(origin) },
      [oidc]: asMetadata(origin),
    }))
    const reason = await reasonOf(discover({ server: `${server.origin}/mcp`, outbound }))
    expect(reason).toBe(issuer('x') === undefined ? 'server-metadata.invalid' : 'server-metadata.issuer')
    expect(paths(server)).toEqual([inserted, rfc8414])
  })

  test.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'calculator:open',
    'http://as.example/authorize',
    'https://user@as.example/authorize',
    'https://as.example/a#b',
    '//as.example/authorize',
    'https://as.example/$(calc)"&calc&"',
  ])('Q01 CL-69 CL-70 CL-72 the authorization endpoint %s is refused', async (endpoint) => {
    const server = await withIssuer('', (origin) => ({
      [rfc8414]: asMetadata(origin, { authorization_endpoint: endpoint }),
    }))
    const reason = await reasonOf(discover({ server: `${server.origin}/mcp`, outbound }))
    expect(reason).toBe('server-metadata.endpoint')
  })

  test.each(['https://as.example/authorize', 'https://as.example/a/?tenant=1', 'http://localhost:1/a'])(
    'Q01 CL-69 and %s is not',
    async (endpoint) => {
      const server = await withIssuer('', (origin) => ({
        [rfc8414]: asMetadata(origin, { authorization_endpoint: endpoint }),
      }))
      const { metadata } = await discover({ server: `${server.origin}/mcp`, outbound })
      expect(metadata.authorizationEndpoint).toBe(endpoint)
    },
  )

  test('CL-65 a server of the Internet may lead neither to http nor to this computer', async () => {
    const documents = (issuer: string, endpoint: string): Readonly<Record<string, unknown>> => ({
      'https://mcp.example/.well-known/oauth-protected-resource/mcp': {
        resource: 'https://mcp.example/mcp',
        authorization_servers: [issuer],
      },
      'https://as.example/.well-known/oauth-authorization-server': asMetadata(issuer, {
        token_endpoint: endpoint,
      }),
      'http://as.example/.well-known/oauth-authorization-server': asMetadata(issuer, {
        token_endpoint: endpoint,
      }),
    })
    const with_ = (issuer: string, endpoint: string): Promise<unknown> =>
      discover({ server: 'https://mcp.example/mcp', outbound: outboundOf(documents(issuer, endpoint)) })
    expect(await reasonOf(with_('http://as.example', 'https://as.example/token'))).toBe(
      'server-metadata.issuer',
    )
    expect(await reasonOf(with_('https://as.example', 'http://as.example/token'))).toBe(
      'server-metadata.endpoint',
    )
    for (const host of ['127.0.0.1', '127.0.0.2', '[::1]', 'localhost', 'app.localhost']) {
      expect(await reasonOf(with_('https://as.example', `https://${host}/token`))).toBe(
        'server-metadata.endpoint',
      )
    }
    expect(await reasonOf(with_('https://as.example', 'https://as.example/token'))).toBe(
      'nothing was refused',
    )
  })

  test('of several the first that can be used is taken, and before it the one with credentials', async () => {
    const server = await serve((origin) => ({
      [inserted]: {
        resource: `${origin}/mcp`,
        authorization_servers: [`${origin}/gone`, `${origin}/t1`, `${origin}/t2`],
      },
      [`${rfc8414}/t1`]: asMetadata(`${origin}/t1`),
      [`${rfc8414}/t2`]: asMetadata(`${origin}/t2`),
    }))
    const about = { server: `${server.origin}/mcp`, outbound }
    const issuers = [
      (await discover(about)).issuer,
      (await discover({ ...about, preferredIssuer: `${server.origin}/t2` })).issuer,
      (await discover({ ...about, issuer: `${server.origin}/t2` })).issuer,
    ]
    expect(issuers.map((issuer) => issuer.slice(-3))).toEqual(['/t1', '/t2', '/t2'])
  })

  test('CL-59 pre-registered credentials of an issuer that is not named: an error, no try', async () => {
    const server = await withIssuer('', (origin) => ({ [rfc8414]: asMetadata(origin) }))
    const work = discover({ server: `${server.origin}/mcp`, outbound, issuer: 'https://other.example' })
    expect(await reasonOf(work)).toBe('registration.other-issuer')
    expect(paths(server)).toEqual([inserted])
  })
})

describe('metadata at a place that the user names', () => {
  const elsewhere = '/odd/place.json'

  test('is used instead of what the server says', async () => {
    const server = await serve((origin) => ({ [elsewhere]: asMetadata(`${origin}/odd`) }))
    const metadataUrl = `${server.origin}${elsewhere}`
    const found = await discover({ server: `${server.origin}/mcp`, outbound, metadataUrl })
    expect(found).toMatchObject({
      issuer: `${server.origin}/odd`,
      metadataUrl,
      resource: `${server.origin}/mcp`,
    })
  })

  test('Q03 may not claim an issuer of another origin, whose credentials it would get', async () => {
    const server = await serve(() => ({ [elsewhere]: asMetadata('https://as.example') }))
    const metadataUrl = `${server.origin}${elsewhere}`
    const work = discover({ server: `${server.origin}/mcp`, outbound, metadataUrl })
    expect(await reasonOf(work)).toBe('server-metadata.issuer')
  })

  test('CL-65 must be https for a server of the Internet', async () => {
    const work = discover({
      server: 'https://mcp.example/mcp',
      outbound: outboundOf({ 'http://as.example/x': asMetadata('http://as.example') }),
      metadataUrl: 'http://as.example/x',
    })
    expect(await reasonOf(work)).toBe('server-metadata.endpoint')
  })
})

describe('servers of revision 2025-03-26', () => {
  test('O03-02 O03-06 metadata stands at the origin, and the request says which revision we speak', async () => {
    const server = await serve((origin) => ({ [rfc8414]: asMetadata(origin) }))
    const found = await discover({ server: `${server.origin}/mcp`, outbound })
    expect(found).toMatchObject({
      issuer: server.origin,
      resource: `${server.origin}/mcp`,
      legacy: '2025-03-26',
    })
    expect(server.at(rfc8414)[0]?.headers['mcp-protocol-version']).toBe('2026-07-28')
  })

  test('O03-04 O03-05 and without any metadata the default paths are', async () => {
    const server = await serve(() => ({}))
    const { metadata } = await discover({ server: `${server.origin}/mcp`, outbound })
    expect(metadata).toMatchObject({
      authorizationEndpoint: `${server.origin}/authorize`,
      tokenEndpoint: `${server.origin}/token`,
      registrationEndpoint: `${server.origin}/register`,
    })
  })

  test.each([500, 503, 429, 408])('a server that answers %i is not taken for one of them', async (status) => {
    const server = await serve((origin) => ({
      [inserted]: status,
      [root]: 404,
      [rfc8414]: asMetadata(origin),
    }))
    expect(await reasonOf(discover({ server: `${server.origin}/mcp`, outbound }))).toBe('outbound.status')
  })
})

describe('the challenge', () => {
  const read = (...values: readonly string[]) => {
    const headers = new Headers()
    for (const value of values) headers.append('www-authenticate', value)
    return readServerChallenge(headers)
  }

  test('CL-39 is found in any challenge of any header, of Bearer or DPoP', () => {
    const announced = 'resource_metadata="https://mcp.example/x"'
    for (const values of [
      [`Bearer ${announced}`],
      ['Basic realm="a, b"', `Bearer ${announced}`],
      [`Negotiate abc==, DPoP algs="ES256", ${announced}`],
      ['Bearer error="invalid_token"', `bearer ${announced}`],
    ]) {
      expect(read(...values).resourceMetadata, values.join()).toBe('https://mcp.example/x')
    }
    expect(read(`Basic ${announced}`).resourceMetadata).toBeUndefined()
  })

  test('CL-07 says the scopes, unless they are none', () => {
    expect(read('Bearer scope="a b  c"').scopes).toEqual(['a', 'b', 'c'])
    expect(read('Bearer scope=""').scopes).toBeUndefined()
    expect(read('Bearer scope="a \\" b"').scopes).toBeUndefined()
  })
})

test('a client uses what a real server announces with its challenge', async () => {
  const rig = await startRig({
    mcp: {
      metadataPath: '/somewhere/else',
      challenge: (origin) => [
        'Basic realm="x"',
        `DPoP algs="ES256", Bearer resource_metadata="${origin}/somewhere/else"`,
      ],
    },
  })
  const response = await rig.client({ dpop: 'never' }).fetch(rig.mcp.url, { method: 'POST', body: '{}' })
  expect(response.status).toBe(200)
})

/** An outbound that knows these documents. */
function outboundOf(documents: Readonly<Record<string, unknown>>): OutboundFetch {
  return async (url) => {
    const found = documents[url]
    const body = new TextEncoder().encode(found === undefined ? '' : JSON.stringify(found))
    return { status: found === undefined ? 404 : 200, headers: new Headers(), body }
  }
}
