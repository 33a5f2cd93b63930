import { type Discovery, discover, readServerChallenge } from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'
import { Refusal } from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const server = 'https://mcp.example/mcp'
const resourceUrl = 'https://mcp.example/.well-known/oauth-protected-resource/mcp'
const issuer = 'https://as.example'
const issuerUrl = `${issuer}/.well-known/oauth-authorization-server`

const goodResource = { resource: server, authorization_servers: [issuer] }
const goodServer = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
}

/** Bytes at some places, and nothing elsewhere. */
const serve =
  (documents: Readonly<Record<string, Uint8Array>>): OutboundFetch =>
  async (url) => {
    const body = documents[url]
    return { status: body === undefined ? 404 : 200, headers: new Headers(), body: body ?? new Uint8Array() }
  }

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

/** What came of it: a discovery, or the reason of a refusal; anything else fails the test. */
async function discovered(documents: Readonly<Record<string, Uint8Array>>): Promise<Discovery | string> {
  try {
    return await discover({ server, outbound: serve(documents) })
  } catch (error) {
    if (error instanceof Refusal && error.reason !== 'internal') return error.reason
    throw error
  }
}

/** Values of every kind that JSON has, and texts that look like what belongs there. */
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    server,
    issuer,
    'https://mcp.example',
    `${issuer}/x`,
    'javascript:alert(1)',
    'http://10.0.0.1/',
    ['a b'],
  ),
  fc.webUrl(),
)

describe('whatever a server sends', () => {
  test('as resource metadata, there is a discovery or a refusal, and what is taken is our server', async () => {
    const member = fc.constantFrom('resource', 'authorization_servers', 'scopes_supported', '__proto__', 'x')
    const document = fc.dictionary(member, value).map((changes) => ({ ...goodResource, ...changes }))
    await fc.assert(
      fc.asyncProperty(fc.oneof(document, fc.jsonValue()), async (sent) => {
        const found = await discovered({ [resourceUrl]: json(sent), [issuerUrl]: json(goodServer) })
        if (typeof found === 'string') return
        expect(new URL(found.resource).origin).toBe('https://mcp.example')
        expect([issuer, 'https://mcp.example']).toContain(found.issuer)
      }),
    )
  })

  test('as server metadata, what is taken is of this issuer and has endpoints that may be used', async () => {
    const member = fc.constantFrom(
      ...[
        'issuer',
        'authorization_endpoint',
        'token_endpoint',
        'registration_endpoint',
        'revocation_endpoint',
      ],
      ...[
        'scopes_supported',
        'code_challenge_methods_supported',
        'client_id_metadata_document_supported',
        'x',
      ],
    )
    const document = fc.dictionary(member, value).map((changes) => ({ ...goodServer, ...changes }))
    await fc.assert(
      fc.asyncProperty(fc.oneof(document, fc.jsonValue()), async (sent) => {
        const found = await discovered({ [resourceUrl]: json(goodResource), [issuerUrl]: json(sent) })
        if (typeof found === 'string') return
        const { metadata } = found
        expect(metadata.issuer).toBe(issuer)
        for (const [name, member] of Object.entries(metadata)) {
          if (name.endsWith('Endpoint') && member !== undefined) expect(member).toMatch(/^https:\/\//i)
        }
      }),
    )
  })

  test('as bytes, there is a refusal or the server counts as one without metadata', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.uint8Array(), async (first, second) => {
        const found = await discovered({ [resourceUrl]: first, [issuerUrl]: second })
        expect(typeof found === 'string' || found.legacy === '2025-03-26').toBe(true)
      }),
    )
  })

  test('Q03 a document that has the same member twice is none', async () => {
    const twice = JSON.stringify(goodServer).replace('{', `{"issuer":"https://evil.example",`)
    const found = await discovered({
      [resourceUrl]: json(goodResource),
      [issuerUrl]: new TextEncoder().encode(twice),
    })
    expect(found).toBe('server-metadata.absent')
  })

  test('Q18 as WWW-Authenticate, there is a challenge with what makes sense of it', () => {
    const piece = fc.constantFrom(
      ...[
        'Bearer ',
        'DPoP ',
        'Basic ',
        'resource_metadata=',
        '"',
        '\\',
        ',',
        ' ',
        '=',
        'scope="a b"',
        'error=',
        'a',
      ],
    )
    const header = fc.oneof(
      fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
      fc.string().map((text) => text.replace(/[^\x20-\x7e]/g, '')),
    )
    fc.assert(
      fc.property(header, (sent) => {
        const challenge = readServerChallenge(new Headers({ 'www-authenticate': sent }))
        expect(challenge.schemes.every((scheme) => /^(bearer|dpop)$/i.test(scheme))).toBe(true)
        expect(challenge.scopes?.length).not.toBe(0)
      }),
    )
  })

  test('Q18 a header of a megabyte is read as far as makes sense', () => {
    for (const filler of ['Bearer a="', ',', '=', 'Bearer x, ']) {
      const sent = `Bearer resource_metadata="${server}", ${filler.repeat(100_000)}`
      expect(readServerChallenge(new Headers({ 'www-authenticate': sent })).resourceMetadata).toBe(server)
    }
  })
})
