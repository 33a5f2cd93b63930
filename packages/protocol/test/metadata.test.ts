import { describe, expect, it } from 'vitest'
import {
  authorizationServerMetadataUrls,
  makeAuthorizationServerMetadata,
  makeProtectedResourceMetadata,
  protectedResourceMetadataUrl,
  wellKnownPath,
} from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

describe('A42: authorization server metadata', () => {
  const metadata = makeAuthorizationServerMetadata({
    issuer: 'https://as.example/t1',
    scopes: ['notes:read'],
  })

  it('A42 AS-05 AS-06 offers S256, the code flow and public clients, and nothing weaker', () => {
    expect(metadata.code_challenge_methods_supported).toEqual(['S256'])
    expect(metadata.response_types_supported).toEqual(['code'])
    expect(metadata.grant_types_supported).toEqual(['authorization_code', 'refresh_token'])
    expect(metadata.token_endpoint_auth_methods_supported).toEqual(['none'])
    expect(metadata.id_token_signing_alg_values_supported).toEqual(['ES256'])
    expect([metadata.request_parameter_supported, metadata.request_uri_parameter_supported]).toEqual([
      false,
      false,
    ])
  })

  it('A29 AS-09 AS-30 announces iss and client documents', () => {
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true)
    expect(metadata.client_id_metadata_document_supported).toBe(true)
  })

  it('AS-07 A42 repeats the issuer byte by byte and puts every endpoint under it', () => {
    expect(metadata.issuer).toBe('https://as.example/t1')
    const endpoints = Object.entries(metadata).filter(([name]) => /_endpoint$|_uri$/.test(name))
    expect(endpoints).toHaveLength(5)
    for (const [, value] of endpoints) expect(value).toMatch(/^https:\/\/as\.example\/t1\/[a-z]+$/)
  })
})

it('leaves scopes_supported out of the metadata of an authorization server rather than empty', () => {
  const withScopes = (scopes: readonly string[]) =>
    makeAuthorizationServerMetadata({ issuer: 'https://as.example', scopes })
  expect(withScopes([])).not.toHaveProperty('scopes_supported')
  expect(withScopes(['notes:read']).scopes_supported).toEqual(['notes:read'])
})

describe('RS-01: protected resource metadata', () => {
  it('RS-02 RS-08 RS-19 names issuers and basic scopes, and never offline_access', () => {
    expect(
      makeProtectedResourceMetadata({
        resource: 'https://mcp.example/notes/mcp',
        issuers: ['https://as.example'],
        scopes: ['notes:read', 'offline_access'],
        name: 'Notes',
      }),
    ).toEqual({
      resource: 'https://mcp.example/notes/mcp',
      authorization_servers: ['https://as.example'],
      scopes_supported: ['notes:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Notes',
    })
  })

  it('RS-19 leaves scopes_supported out rather than empty', () => {
    const metadata = makeProtectedResourceMetadata({
      resource: 'https://m.example/mcp',
      issuers: ['https://as.example'],
      scopes: ['offline_access'],
    })
    expect(Object.keys(metadata)).toEqual(['resource', 'authorization_servers', 'bearer_methods_supported'])
  })
})

describe('RS-03, AS-04: well-known places', () => {
  it.each([
    ['https://mcp.example', 'https://mcp.example/.well-known/oauth-protected-resource'],
    ['https://mcp.example/', 'https://mcp.example/.well-known/oauth-protected-resource'],
    ['https://mcp.example/notes/mcp', 'https://mcp.example/.well-known/oauth-protected-resource/notes/mcp'],
    ['http://localhost:8765/mcp/', 'http://localhost:8765/.well-known/oauth-protected-resource/mcp/'],
    ['https://mcp.example/mcp?a=b', 'https://mcp.example/.well-known/oauth-protected-resource/mcp?a=b'],
    ['https://mcp.example?a=b', 'https://mcp.example/.well-known/oauth-protected-resource?a=b'],
    ['https://mcp.example/?a=b', 'https://mcp.example/.well-known/oauth-protected-resource?a=b'],
  ])('RS-03 %s stands at %s', (resource, place) => {
    expect(protectedResourceMetadataUrl(resource)).toBe(place)
  })

  it('AS-04 tries RFC 8414 first, then OpenID', () => {
    expect(authorizationServerMetadataUrls('https://as.example')).toEqual([
      'https://as.example/.well-known/oauth-authorization-server',
      'https://as.example/.well-known/openid-configuration',
    ])
    expect(authorizationServerMetadataUrls('https://as.example/t1')).toEqual([
      'https://as.example/.well-known/oauth-authorization-server/t1',
      'https://as.example/.well-known/openid-configuration/t1',
      'https://as.example/t1/.well-known/openid-configuration',
    ])
    expect(authorizationServerMetadataUrls('https://as.example/t1/')).toEqual(
      authorizationServerMetadataUrls('https://as.example/t1'),
    )
  })

  it.each(['', 'mcp', 'ftp://x/', 'https://u@x/', 'https://x/#f'])('RS-03 refuses %j', (raw) => {
    expect(reasonOf(() => protectedResourceMetadataUrl(raw))).toBe('resource.unknown')
    expect(reasonOf(() => authorizationServerMetadataUrls(raw))).toBe('resource.unknown')
  })

  it('inserts paths', () => {
    expect(wellKnownPath('oauth-protected-resource', '/')).toBe('/.well-known/oauth-protected-resource')
    expect(wellKnownPath('openid-configuration', '/t1')).toBe('/.well-known/openid-configuration/t1')
    expect(wellKnownPath('oauth-authorization-server')).toBe('/.well-known/oauth-authorization-server')
  })
})
