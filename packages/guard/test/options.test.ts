import { createGuard, type GuardOptions, GuardOptionsError } from '@warder/guard'
import { describe, expect, it } from 'vitest'
import { issuer, makeGuard, policy, resource, signer } from './fixture.ts'

const good: GuardOptions = {
  issuer,
  resource,
  server: 'notes',
  policy: () => policy,
  keys: { jwks: async () => ({ keys: [signer.jwk] }) },
}

function problemsOf(options: unknown): readonly string[] {
  try {
    createGuard(options as GuardOptions)
  } catch (error) {
    if (error instanceof GuardOptionsError) return error.problems
    throw error
  }
  return []
}

describe('G36 a guard that must not start', () => {
  it('G36 twin: the good options start', () => {
    expect(problemsOf(good)).toEqual([])
    expect(makeGuard().resource).toBe(resource)
  })
  it.each([
    ['issuer', undefined],
    ['issuer', ''],
    ['resource', undefined],
    ['resource', ''],
    ['keys', undefined],
    ['keys', null],
    ['server', ''],
  ])('G36 %s %j is missing', (name, value) => {
    expect(problemsOf({ ...good, [name]: value })).toEqual([`${name} is missing`])
  })
  it('G36 all problems are told together', () => {
    const told = [
      'resource is missing',
      'issuer is missing',
      'keys is missing',
      'policy is not a function',
      'server is missing',
    ]
    expect(problemsOf({})).toEqual(told)
    expect(problemsOf(undefined)).toEqual(told)
    expect(new GuardOptionsError(told).message).toContain('issuer is missing; keys is missing')
  })
  it.each([
    ['issuer', 'auth.example.com'],
    ['issuer', 'http://auth.example.com'],
    ['issuer', 'https://auth.example.com?x=1'],
    ['issuer', 'ftp://auth.example.com'],
    ['resource', 'http://mcp.example.com/mcp'],
    ['resource', 'https://user:pw@mcp.example.com/mcp'],
    ['resource', 'https://mcp.example.com/mcp#part'],
    ['resource', 'http://127.0.0.1.evil.example/mcp'],
    ['keys', {}],
    ['keys', { jwks: 'https://auth.example.com/jwks' }],
    ['keys', { jwksUri: 'http://auth.example.com/jwks' }],
    ['keys', { jwksUri: undefined }],
    // A name server may say where this is, and what comes from there says who may sign.
    ['keys', { jwksUri: 'http://auth.localhost:8765/jwks' }],
    ['keys', { jwksUri: 'https://auth.example.com/jwks', fetch: 'fetch' }],
    ['authorizationServers', []],
    ['authorizationServers', ['http://auth.example.com']],
    ['policy', policy],
    ['server', 'files'],
    ['findUser', 'owner'],
    ['catchUp', true],
    ['revocations', { isRevoked: () => false }],
    ['cacheSize', 0],
    ['now', 7],
    ['accountUrl', 'http://auth.example.com/account'],
    ['title', ''],
    ['dangerouslyAcceptPlainJwt', 'false'],
  ])('G36 %s %j is one problem', (name, value) => {
    expect(problemsOf({ ...good, [name]: value })).toHaveLength(1)
  })
  it.each([
    ['issuer', 'http://localhost:8765'],
    ['resource', 'http://127.0.0.1:8765/notes/mcp'],
    ['resource', 'http://[::1]:8765/notes/mcp'],
    ['keys', { jwksUri: 'https://auth.example.com/jwks?version=2' }],
    ['keys', { jwksUri: 'https://auth.localhost/jwks' }],
    ['keys', { jwksUri: 'http://localhost:8765/jwks' }],
    ['keys', { jwksUri: 'http://auth.localhost:8765/jwks', fetch: async () => ({ status: 404 }) }],
    [
      'policy',
      () => {
        throw new Error('not read yet')
      },
    ],
  ])('G36 twin: %s %j starts', (name, value) => {
    expect(problemsOf({ ...good, [name]: value })).toEqual([])
  })
})
