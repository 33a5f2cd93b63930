/** A mutant that no test can tell from the code, and why. */
export interface Reason {
  readonly file: string
  /** The code that was replaced, as it stands in the file. */
  readonly code: string
  readonly by: string
  readonly because: string
}

const inProtocol = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/protocol/src/${file}.ts`,
  code,
  by,
  because,
})

const shortcut = 'a shortcut for speed: what it lets by is judged the same way right after it'

export const reasons: readonly Reason[] = [
  inProtocol(
    'pkce',
    'at < expected.length',
    'at <= expected.length',
    'behind the end both codes are NaN, which count as zero',
  ),
  inProtocol(
    'jwt',
    "{\n    throw new Refusal('token.malformed', { detail: String(cause), cause })\n  }",
    '{}',
    'the value stays undefined, and the next line refuses it with the same reason',
  ),
  inProtocol(
    'jwt',
    "throw new Refusal('token.malformed', { detail: String(cause), cause })",
    ';',
    'the value stays undefined, and the next line refuses it with the same reason',
  ),
  inProtocol(
    'form',
    '/^(?:[\\x21-\\x24\\x26-\\x7e]|%[0-9A-Fa-f]{2})*$/',
    '/^(?:[\\x21-\\x24\\x26-\\x7e]|%[0-9A-Fa-f])*$/',
    'decodeURIComponent refuses one digit with the same reason',
  ),
  inProtocol('json-number', '/^[1-9][0-9]{0,14}$/', '/^[1-9][0-9]$/', shortcut),
  inProtocol('json-number', '/^[1-9][0-9]{0,14}$/', '/^[1-9][^0-9]{0,14}$/', shortcut),
  inProtocol('json-number', 'short.test(literal)', 'false', shortcut),
  inProtocol('json-scanner', '!(found <= code.space)', 'false', shortcut),
  inProtocol('json-scanner', 'found <= code.space', 'true', shortcut),
  inProtocol(
    'json-scanner',
    'false',
    'true',
    'JSON.parse reads a string without escapes as it stands, only slower',
  ),
  ...[
    ['many !== undefined', 'false'],
    ['few.length > 16', 'true'],
    ['few.length > 16', 'false'],
    ['few.length > 16', 'few.length >= 16'],
    ['few.length > 16', 'few.length <= 16'],
  ].map(([code = '', by = '']) =>
    inProtocol('json-scanner', code, by, 'list or set: they know the same keys, at other speeds'),
  ),
  inProtocol(
    'mcp-post',
    "kind === 'response'",
    "kind !== 'response'",
    'counts the others instead: some but not all are the same question',
  ),
]
