/** A security-critical part: whose conditions are broken one by one, and which tests must notice each. */
export interface Group {
  readonly mutate: readonly string[]
  readonly tests: readonly string[]
}

const source = (room: string, ...files: readonly string[]): string[] =>
  files.map((file) => `packages/${room}.ts`.replace('*', file))

/** Those that are about the group: the flood of others makes a run last for hours. */
const testsOf = (room: string, ...names: readonly string[]): string[] =>
  names.map((name) => `packages/${room}/test/${name}.test.ts`)

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
      'seen-keys',
      'strict-json',
      'json-rpc',
      'mcp-call',
      'mcp-message',
      'member-names',
      'mcp-post',
      'mirrored-headers',
    ),
    // The scanner reads lists for the guard.
    tests: ['packages/protocol/test', ...source('guard/test/*.test', 'filter-list-text')],
  },
  form: {
    mutate: source('protocol/src/*', 'form', 'bearer', 'scope', 'jwt', 'registration', 'client-document'),
    tests: ['packages/protocol/test'],
  },
  ssrf: { mutate: ['packages/outbound/src/*.ts'], tests: ['packages/outbound/test'] },
  door: {
    mutate: source('gateway/src/*', 'read-head', 'check-door', 'read-call', 'authorize-call'),
    tests: source(
      'gateway/test/*.test',
      'http-door',
      'door-limits',
      'messages',
      'batches',
      'sessions',
      'subscriptions',
      'ended-calls',
      'tokens',
    ),
  },
  decision: {
    mutate: source(
      'policy/src/*',
      'decide',
      'prepare-decisions',
      'settle-clauses',
      'covers-client',
      'clause-list',
      'clause-index',
      'target-index',
      'pattern-index',
      'pattern',
      'condition',
      'condition-arguments',
      'condition-rules',
      'condition-environment',
      'condition-equality',
      'condition-strict',
    ),
    // Not those that read the documentation, which the copy does not have.
    tests: source(
      'policy/test/*.test',
      'decide',
      'patterns',
      'conditions',
      'condition-types',
      'indexed-decide',
    ),
  },
  filter: {
    mutate: source(
      'guard/src/*',
      'filter-answer',
      'filter-list',
      'filter-list-text',
      'read-answer',
      'read-lines',
      'collect-bytes',
      'server-sent-events',
      'hidden-names',
    ),
    tests: source('guard/test/*.test', 'filter-answer', 'filter-list-text', 'lists'),
  },
  'access-token': {
    mutate: source(
      'guard/src/*',
      'authenticate',
      'verify-jwt',
      'verification-key',
      'verify-signature',
      'verified-tokens',
      'key-set',
      'time-since',
    ),
    tests: source(
      'guard/test/*.test',
      'keys',
      'verified-tokens',
      'token-claims',
      'token-header',
      'signatures',
      'conditions',
    ),
  },
  token: {
    mutate: [
      ...source('authorization-server/src/*', 'endpoints/token', 'endpoints/revoke'),
      'packages/authorization-server/src/grants/*.ts',
      'packages/authorization-server/src/tokens/*.ts',
    ],
    tests: testsOf(
      'authorization-server',
      'token-code',
      'token-refresh',
      'revoke',
      'secrets',
      'sealing',
      'fail-closed',
      'policy-change',
      'server-without-scopes',
      'metadata',
      'changed-document',
    ),
  },
  consent: {
    mutate: [
      'packages/authorization-server/src/steps/*.ts',
      'packages/authorization-server/src/checks/*.ts',
      ...source('authorization-server/src/*', 'browser', 'endpoints/authorize', 'endpoints/transaction'),
    ],
    tests: testsOf(
      'authorization-server',
      'sign-in',
      'sign-in-races',
      'session',
      'session-end',
      'browser-secrets',
      'consent',
      'navigation',
      'unasked-answers',
      'not-offered',
      'authorize-request',
      'resource-choice',
      'other-servers',
      'policy-change',
      'server-without-scopes',
      'changed-document',
      'known-device',
      'account',
      'owner',
      'new-user',
      'token-refresh',
      'fail-closed',
      'token-code',
    ),
  },
}
