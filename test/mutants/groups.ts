/** A security-critical part: whose conditions are broken one by one, and which tests must notice each. */
export interface Group {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

const source = (room: string, ...files: readonly string[]): string[] =>
  files.map((file) => `packages/${room}.ts`.replace('*', file))

export const groups: Readonly<Record<string, Group>> = {
  'redirect-uri': {
    mutate: source('protocol/src/*', 'redirect-uri', 'web-uri', 'resource'),
    tests: ['packages/protocol/test'],
  },
  pkce: { mutate: source('protocol/src/*', 'pkce'), tests: ['packages/protocol/test'] },
  message: {
    mutate: source(
      'protocol/src/*',
      'json-scanner',
      'json-number',
      'strict-json',
      'json-rpc',
      'mcp-call',
      'mcp-message',
      'mcp-post',
      'mirrored-headers',
    ),
    tests: ['packages/protocol/test'],
  },
  form: {
    mutate: source('protocol/src/*', 'form', 'bearer', 'scope', 'jwt', 'registration', 'client-document'),
    tests: ['packages/protocol/test'],
  },
  ssrf: { mutate: ['packages/outbound/src/*.ts'], tests: ['packages/outbound/test'] },
  decision: { mutate: ['packages/policy/src/decide*.ts'], tests: ['packages/policy/test'] },
  filter: { mutate: source('guard/src/*', 'filter-answer', 'filter-list'), tests: ['packages/guard/test'] },
  'access-token': {
    mutate: source(
      'guard/src/*',
      'authenticate',
      'verify-jwt',
      'verification-key',
      'verified-tokens',
      'key-set',
    ),
    tests: ['packages/guard/test'],
  },
  token: {
    mutate: [
      ...source('authorization-server/src/*', 'endpoints/token', 'endpoints/revoke'),
      'packages/authorization-server/src/grants/*.ts',
      'packages/authorization-server/src/tokens/*.ts',
    ],
    tests: ['packages/authorization-server/test'],
  },
  consent: {
    mutate: [
      'packages/authorization-server/src/steps/*.ts',
      'packages/authorization-server/src/checks/*.ts',
      ...source('authorization-server/src/*', 'browser', 'endpoints/authorize', 'endpoints/transaction'),
    ],
    tests: ['packages/authorization-server/test'],
  },
}
