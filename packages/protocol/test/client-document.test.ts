import { describe, expect, it } from 'vitest'
import { checkClientDocumentUrl, readClientDocument } from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

const url = 'https://app.example/client.json'
const document = { client_id: url, client_name: 'App', redirect_uris: ['http://127.0.0.1/callback'] }
const reason = (json: unknown) => reasonOf(() => readClientDocument(json, url))

describe('E01, E02, E03: client ids that are URLs', () => {
  it.each([
    'http://app.example/client.json',
    'HTTP://app.example/client.json',
    'https://app.example',
    'https://app.example/',
    'https://app.example?x',
    'https://app.example/?x',
    'https://app.example?/client.json',
    'HTTPS://app.example/client.json',
    'https://app.example/a/../client.json',
    'https://app.example/./client.json',
    'https://app.example/%2e%2e/client.json',
    'https://app.example/%2E/client.json',
    'https://app.example/client.json#f',
    'https://app.example/client.json#',
    'https://user@app.example/client.json',
    'https://user:pass@app.example/client.json',
    'https://app.example/client\t.json',
    'https://app.example/client.json\n',
    'https://app.example\\@evil.example/client.json',
    'https://2130706433/client.json',
    'https://127.1/client.json',
    'https:app.example/client.json',
    'ftp://app.example/client.json',
    'app',
    '',
    `https://app.example/${'x'.repeat(2048)}`,
  ])('E01 E02 E03 refuses %j', (raw) => {
    expect(reasonOf(() => checkClientDocumentUrl(raw))).toBe('client.document-url')
  })

  it.each([
    url,
    'https://claude.ai/oauth/claude-code-client-metadata',
    'https://app.example:8443/c',
    'https://app.example/c?v=1',
  ])('E01 E02 E03 accepts %s', (raw) => {
    expect(checkClientDocumentUrl(raw)).toBe(raw)
  })

  it.each(['http://localhost:1/x', 'ftp://localhost/x', 'HTTP://localhost/x', 'Https://localhost/x'])(
    'E01 takes nothing but https, also on this computer: %s',
    (raw) => {
      expect(reasonOf(() => checkClientDocumentUrl(raw))).toBe('client.document-url')
    },
  )
})

describe('AS-21, AS-22, E18: the document', () => {
  it('AS-22 reads a document with portless loopback redirects as a native client', () => {
    expect(readClientDocument(document, url)).toMatchObject({
      clientName: 'App',
      native: true,
      redirectUris: ['http://127.0.0.1/callback'],
    })
  })

  it.each([
    undefined,
    'https://app.example/client.json/',
    'https://APP.example/client.json',
    'https://app.example/client.json?',
    1,
    null,
    [url],
  ])('AS-21 refuses client_id %j', (client_id) => {
    expect(reason({ ...document, client_id })).toBe('client.document-invalid')
  })

  it.each(['client_id', 'client_name', 'redirect_uris'])('AS-22 refuses a document without %s', (field) => {
    const { [field]: _, ...rest } = document as Record<string, unknown>
    expect(reason(rest)).toBe('client.document-invalid')
    expect(reason(document)).toBe('accepted')
  })

  it.each([[[document]], [null], ['x'], [1]])('E09 refuses %j', (json) => {
    expect(reason(json)).toBe('client.document-invalid')
  })

  it.each([
    { client_secret: 'x' },
    { client_secret: null },
    { client_secret_expires_at: 0 },
    { token_endpoint_auth_method: 'client_secret_post' },
    { token_endpoint_auth_method: 'client_secret_basic' },
    { token_endpoint_auth_method: 'client_secret_jwt' },
    { token_endpoint_auth_method: 'private_key_jwt' },
    { redirect_uris: ['http://evil.example/cb'] },
    { redirect_uris: [] },
    { redirect_uris: ['javascript:alert(1)'] },
    { application_type: 'web' },
    { client_uri: 'javascript:alert(1)' },
    { client_name: '\u200b' },
    { grant_types: ['client_credentials'] },
  ])('E18 CI-04 D03 refuses a document with %j', (extra) => {
    expect(reason({ ...document, ...extra })).toBe('client.document-invalid')
  })

  it('CI-04 accepts the method none and unknown members', () => {
    expect(reason({ ...document, token_endpoint_auth_method: 'none', software_id: 'x' })).toBe('accepted')
  })
})
