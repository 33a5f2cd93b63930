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

const inAuthorizationServer = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/authorization-server/src/${file}.ts`,
  code,
  by,
  because,
})

const shortcut = 'a shortcut for speed: what it lets by is judged the same way right after it'

const inPolicy = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/policy/src/${file}.ts`,
  code,
  by,
  because,
})

const inGuard = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/guard/src/${file}.ts`,
  code,
  by,
  because,
})

const inGateway = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/gateway/src/${file}.ts`,
  code,
  by,
  because,
})

const inOutbound = (file: string, code: string, by: string, because: string): Reason => ({
  file: `packages/outbound/src/${file}.ts`,
  code,
  by,
  because,
})

const sameLists = 'other lists, at another speed: each row in them is checked for itself'

export const reasons: readonly Reason[] = [
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
  inProtocol('json-scanner', 'this.current() > code.space', 'false', shortcut),
  ...['this.at < this.text.length', 'at < text.length'].flatMap((code) =>
    ['true', code.replace('<', '<=')].map((by) =>
      inProtocol('json-scanner', code, by, 'behind the end there is NaN, which is no character either'),
    ),
  ),
  inProtocol(
    'json-scanner',
    'this.seen.length < this.depth',
    'this.seen.length <= this.depth',
    'one more that nobody asks for',
  ),
  inProtocol(
    'json-scanner',
    'false',
    'true',
    'JSON.parse reads a string without escapes as it stands, only slower',
  ),
  ...[
    ['isPlain && this.cutOut === undefined && this.count < few', 'false'],
    ['this.count < few', 'true'],
    ['this.count < few', 'this.count <= few'],
    ['this.count < few', 'this.count >= few'],
    ['this.isNew(look)', 'false'],
    ['at < this.count', 'at <= this.count'],
    ['this.looks[at] === look', 'true'],
    ['true', 'false'],
    ...[
      '{\n      const look = this.lookOf(start, end)\n      if (this.isNew(look)) {\n        this.push(look, start, end)\n        return true\n      }\n    }',
      '{\n        this.push(look, start, end)\n        return true\n      }',
      '{\n    return ((end - start) << 16) ^ (this.text.charCodeAt(start + 1) << 8) ^ this.text.charCodeAt(end - 2)\n  }',
      '{\n    for (let at = 0; at < this.count; at += 1) if (this.looks[at] === look) return false\n    return true\n  }',
    ].map((code) => [code, '{}']),
  ].map(([code = '', by = '']) =>
    inProtocol('seen-keys', code, by, 'places or a set: they know the same keys, at other speeds'),
  ),
  inProtocol('json-scanner', 'default:\n        return false', 'default:', 'nothing returned is as false'),
  ...[
    ["case '[?]':\n      throw new Error('optional values are switched off')", "case '[?]':"],
    ["throw new Error('optional values are switched off')", ';'],
    ["field?.op !== '.'", 'false'],
    ['field?.op', 'field.op'],
  ].map(([code = '', by = '']) =>
    inPolicy('condition-strict', code, by, 'for the compiler: the parser has refused everything else'),
  ),
  ...[
    ["field?.op === '.'", 'true'],
    ['field?.op', 'field.op'],
  ].map(([code = '', by = '']) =>
    inPolicy('condition-rules', code, by, 'for the compiler: the parser takes has with one field alone'),
  ),
  inPolicy('condition-arguments', 'error instanceof Unreadable', 'true', 'nothing else is thrown there'),
  inPolicy(
    'condition-equality',
    "kind !== 'string'",
    'true',
    'asked about texts that differ, the library says the same',
  ),
  inPolicy(
    'target-index',
    'at < text.length',
    'at <= text.length',
    'behind the end there is NaN, which is no control character',
  ),
  inAuthorizationServer(
    'steps/login',
    "throw new Refusal('transaction.unknown')",
    ';',
    'the transaction has ended too, and the page that follows says so',
  ),
  inAuthorizationServer(
    'steps/shown',
    `deriveSecret(formToken, \`shown \${thing}\`).slice(0, 16)`,
    `deriveSecret(formToken, \`shown \${thing}\`)`,
    'marks of another length, on both sides',
  ),
  inProtocol('bearer', "query === ''", 'false', shortcut),
  inProtocol(
    'bearer',
    '/^bearer /i',
    '/bearer /i',
    'further behind, the space is part of the token, and refused with it',
  ),
  inGateway('authorize-call', '{\n    return false\n  }', '{}', 'nothing returned is no yes either'),
  inProtocol('member-names', 'others.length === 0', 'false', shortcut),
  inProtocol(
    'mcp-post',
    "kind === 'response'",
    "kind !== 'response'",
    'counts the others instead: some but not all are the same question',
  ),
  ...[
    ['endpoints/authorize', 'target.state === undefined'],
    ['endpoints/authorize', 'client.digest === undefined'],
    ['steps/describe-request', 'client.documentHost === undefined'],
    ['steps/describe-scopes', 'scope.description === undefined'],
    ['steps/describe-scopes', 'before === undefined'],
    ['tokens/issue', 'refreshToken === undefined'],
  ].map(([file = '', code = '']) =>
    inAuthorizationServer(file, code, 'false', 'JSON and pages take what is undefined for what is not there'),
  ),
  ...['grants/refresh-token', 'tokens/sign'].map((file) =>
    inAuthorizationServer(file, '{\n    return undefined\n  }', '{}', 'nothing returned is undefined'),
  ),
  inAuthorizationServer(
    'steps/load-user-by-password',
    'user === undefined',
    'false',
    'for the compiler: without a user there is no hash, and no password is accepted',
  ),
  ...[
    ['checks/check-resource', 'resource === granted', 'false', shortcut],
    [
      'endpoints/authorize',
      'issuer.secure && !asked.signInAgain',
      'false',
      'the page looks for the session itself, by one more write',
    ],
    ['steps/load-sign-in', 'userId === undefined', 'false', 'for the compiler: nobody has the id undefined'],
    [
      'steps/load-user-by-password',
      'password.slice(0, 1024)',
      'password',
      "bounds what is hashed for nothing: a longer one is nobody's",
    ],
  ].map(([file = '', code = '', by = '', because = '']) => inAuthorizationServer(file, code, by, because)),
  ...[
    ["'args' in call", 'true', 'what is no tool has no arguments'],
    ["!settled.isUnsure() || sure.outcome === 'open'", 'false', shortcut],
    [
      "!settled.isUnsure() || sure.outcome === 'open'",
      "!settled.isUnsure() && sure.outcome === 'open'",
      shortcut,
    ],
    ["sure.outcome === 'open'", 'false', shortcut],
    ['default:\n      return undefined', 'default:', 'nothing returned is undefined'],
    ['lacking === undefined && needed.length > 0', 'false', shortcut],
    ['denial.row < first.row', 'denial.row <= first.row', 'the same row is the same denial'],
  ].map(([code = '', by = '', because = '']) => inPolicy('decide', code, by, because)),
  ...[
    ['known !== undefined', 'false', 'evaluated once more, with the same answer'],
    ['answers.set(condition, answer)', ';', 'evaluated once more, with the same answer'],
    ['false', 'true', 'both views are taken, and say the same'],
    ["answer.holds === 'unknown'", 'true', 'both views are taken, and say the same'],
    ['found.row <= clause.row', 'found.row < clause.row', 'the same row, found under another tool'],
    ["which === 'any'", 'false', 'the first one answers whether there is one too'],
    ['clause.condition === undefined', 'false', 'a wanted row without a condition gives what is lacking'],
    ['why !== undefined', 'true', 'shown are the words of the hopeful view, in which the unknown gives'],
    [
      "answer.holds === 'failed'",
      'true',
      'shown are the words of the hopeful view, in which the unknown gives',
    ],
  ].map(([code = '', by = '', because = '']) => inPolicy('settle-clauses', code, by, because)),
  ...[
    ['all.length > few', 'true'],
    ['all.length > few', 'all.length >= few'],
    ['all.length > few', 'all.length <= few'],
    ['wanted.scope === undefined', 'true'],
    ['tool.isExact', 'false'],
    ['scope === undefined', 'true'],
  ].map(([code = '', by = '']) => inPolicy('clause-list', code, by, sameLists)),
  ...[
    ['!user.groups.includes(group)', 'true'],
    ['bucket.short.all.length < few', 'false'],
    ['bucket.short.all.length < few', 'bucket.short.all.length <= few'],
    ['bucket.short.all.length < few', 'bucket.short.all.length >= few'],
    ['byPattern.set(client, list)', ';'],
  ].map(([code = '', by = '']) => inPolicy('clause-index', code, by, sameLists)),
  ...['length > value.length', 'length > most'].map((code) =>
    inPolicy('pattern-index', code, 'false', sameLists),
  ),
  inPolicy(
    'condition',
    "typeof read === 'object'",
    'true',
    'the library takes a variable that is undefined for one that is not there',
  ),
  ...[
    ["typeof range?.start === 'number'", 'true'],
    ['range?.start', 'range.start'],
    ["typeof summary === 'string'", 'true'],
  ].map(([code = '', by = '']) =>
    inPolicy('condition', code, by, 'no text is known for which the library throws an error without it'),
  ),
  inPolicy('target-index', '!line.pattern.isExact', 'true', 'a name is found as a pattern too, only slower'),
  inPolicy(
    'target-index',
    'known.position < line.position',
    'known.position <= line.position',
    'two lines never stand in one place',
  ),
  inPolicy('target-index', 'at < name.length', 'at <= name.length', 'NaN is neither below nor above'),
  inPolicy('target-index', 'at < uri.length', 'at <= uri.length', 'NaN is neither below nor equal'),
  inGuard(
    'verify-jwt',
    "typeof algorithm !== 'string'",
    'false',
    'for the compiler: the list has no key that is no text',
  ),
  inGuard('verification-key', 'first === undefined', 'false', 'an import without an algorithm throws'),
  ...[
    ["kty === 'EC' && areStrings(crv, x, y)", "kty === 'EC' || areStrings(crv, x, y)"],
    ["kty === 'EC'", 'true'],
    ["kty === 'OKP' && areStrings(crv, x)", "kty === 'OKP' || areStrings(crv, x)"],
    ["kty === 'OKP'", 'true'],
    ["kty === 'RSA'", 'true'],
    ["values.every((value) => typeof value === 'string')", "values.some(value => typeof value === 'string')"],
    ["typeof value === 'string'", 'true'],
  ].map(([code = '', by = '']) =>
    inGuard('verification-key', code, by, 'what is no such key is refused by the import right after it'),
  ),
  inGuard(
    'verification-key',
    'e !== undefined',
    'true',
    'for the compiler: undefined is not greater than anything',
  ),
  inGuard('verification-key', 'e < 1n << 64n', 'e <= 1n << 64n', 'that one number is even'),
  inGuard(
    'verification-key',
    'text.length > 4096',
    'text.length >= 4096',
    'OpenSSL verifies nothing with a modulus of more than 16,384 bits',
  ),
  inGuard('verification-key', 'imported.set(algorithm, known)', ';', 'imported once more, to the same key'),
  ...[
    ["typeof clientClass === 'string'", 'true', 'what is no text is not one of the known classes either'],
    [
      "typeof value !== 'number' || !Number.isFinite(value)",
      "typeof value !== 'number' && !Number.isFinite(value)",
      'for the compiler: only numbers are finite, by this function',
    ],
    ["typeof value !== 'number'", 'false', 'for the compiler: only numbers are finite, by this function'],
    ["typeof raw !== 'string'", 'false', 'what is no text cannot be read, and grants nothing'],
  ].map(([code = '', by = '', because = '']) => inGuard('verify-jwt', code, by, because)),
  ...[
    ['false', 'true', 'never reached: each algorithm that is allowed has its way'],
    ['way === undefined', 'false', 'for the compiler: each algorithm that is allowed has its way'],
    ['known === undefined', 'true', 'made once more, of the same key'],
    ['keyObjects.set(key, known)', ';', 'made once more, of the same key'],
    ['way.padding === undefined', 'false', 'the long form of the same question'],
    ['form !== undefined', 'true', 'the function throws without a signature, which is refused'],
    ['{\n    return false\n  }', '{}', 'nothing returned is no proof either'],
  ].map(([code = '', by = '', because = '']) => inGuard('verify-signature', code, by, because)),
  ...[
    ["typeof digest === 'string'", 'true'],
    ["typeof digest === 'string'", 'false'],
    ["typeof digest === 'string'", "typeof digest !== 'string'"],
    ['isCurrent === true', 'false'],
    ['true', 'false'],
  ].map(([code = '', by = '']) =>
    inGuard(
      'verified-tokens',
      code,
      by,
      'to wait for what is there already costs a turn, and changes nothing',
    ),
  ),
  inGuard('filter-answer', 'data === undefined', 'false', 'what is undefined is written like what is absent'),
  inGuard(
    'filter-answer',
    'list === undefined',
    'false',
    'a shape that no list has is read as a whole after it',
  ),
  ...[
    ["message.kind !== 'result' || !isJsonObject(message.result)", 'false'],
    [
      "message.kind !== 'result' || !isJsonObject(message.result)",
      "message.kind !== 'result' && !isJsonObject(message.result)",
    ],
    ["message.kind !== 'result'", 'false'],
    ['passed === undefined', 'false'],
  ].map(([code = '', by = '']) =>
    inGuard(
      'filter-list-text',
      code,
      by,
      'for the compiler: a list was found in `result`, and a result stays one',
    ),
  ),
  ...[
    ['wanted <= bytes.byteLength', 'wanted < bytes.byteLength'],
    ['piece.byteLength === 0', 'false'],
    ['size === 0', 'false'],
  ].map(([code = '', by = '']) =>
    inGuard('collect-bytes', code, by, 'more copies and more memory, of the same bytes'),
  ),
  ...[
    ['false', 'true'],
    ['begun.size === 0', 'false'],
    ['nextFeed < at', 'nextFeed <= at'],
    ['nextReturn < at', 'nextReturn <= at'],
    ['Buffer?.from', 'Buffer.from'],
  ].map(([code = '', by = '']) =>
    inGuard(
      'read-lines',
      code,
      by,
      'the same lines: an empty one at the very beginning ends no event, the rest is about speed and other runtimes',
    ),
  ),
  inGuard('hidden-names', 'Array.isArray(value)', 'false', 'an array has its items under numbers'),
  inGuard('hidden-names', "typeof value !== 'object'", 'false', 'what is no object has no members'),
  ...[
    ["{\n    throw new Refusal('upstream.answer', { detail: String(cause), cause })\n  }", '{}'],
    ["throw new Refusal('upstream.answer', { detail: String(cause), cause })", ';'],
    ['{\n    return strict(text)\n  }', '{}'],
    ["{\n    if (!(error instanceof Refusal) || error.reason !== 'message.number') throw error\n  }", '{}'],
    ["!(error instanceof Refusal) || error.reason !== 'message.number'", 'false'],
    [
      "!(error instanceof Refusal) || error.reason !== 'message.number'",
      "!(error instanceof Refusal) && error.reason !== 'message.number'",
    ],
    ["error.reason !== 'message.number'", 'false'],
    ['context?.source', 'context.source'],
    ['source === undefined', 'false'],
    ['rawJSON === undefined', 'false'],
    ['String(value) === source', 'false'],
  ].map(([code = '', by = '']) =>
    inGuard(
      'read-answer',
      code,
      by,
      'what is refused is refused a line later too, what is good is the same text after a longer way, or the runtime is older',
    ),
  ),
  inGuard(
    'filter-answer',
    '/^([a-z/-]+)(?:\\s*;\\s*charset="?utf-8"?)?\\s*$/i.exec(contentType ?? \'\')?.[1]?.toLowerCase',
    '/^([a-z/-]+)(?:\\s*;\\s*charset="?utf-8"?)?\\s*$/i.exec(contentType ?? \'\')?.[1].toLowerCase',
    'for the compiler: what matched has its first group',
  ),
  ...[
    ['timeSince(lookedAt, now) < lookMs', 'true'],
    ['timeSince(lookedAt, now) < lookMs', 'false'],
    ['timeSince(lookedAt, now) < lookMs', 'timeSince(lookedAt, now) <= lookMs'],
    ['timeSince(lookedAt, now) < lookMs', 'timeSince(lookedAt, now) >= lookMs'],
    ['claims.expiresAt * 1000 <= now', 'true'],
    ['claims.expiresAt * 1000 <= now', 'false'],
    ['claims.expiresAt * 1000 <= now', 'claims.expiresAt * 1000 < now'],
    ['claims.expiresAt * 1000 <= now', 'claims.expiresAt * 1000 > now'],
    ['verified.delete(id)', ';'],
    ['forgetExpired(rules.now())', ';'],
    [
      '{\n    if (timeSince(lookedAt, now) < lookMs) return\n    lookedAt = now\n    for (const [id, { claims }] of verified.entries()) if (claims.expiresAt * 1000 <= now) verified.delete(id)\n  }',
      '{}',
    ],
  ].map(
    ([code = '', by = '']): Reason => ({
      file: 'packages/guard/src/verified-tokens.ts',
      code,
      by,
      because:
        'memory only: an expired token that is still remembered is refused, a forgotten one verified anew',
    }),
  ),
  inGateway(
    'read-call',
    'name.slice(parameterPrefix.length)',
    'name',
    'only the values are checked here: what they must equal stands in the schema of the tool',
  ),
  inGateway(
    'read-head',
    'target.slice(mark + 1)',
    'target',
    'a token is looked for behind every `?`, and the path of no route has one in it',
  ),
  ...[
    ['find-proxy', '{\n    return false\n  }', '{}', 'nothing returned is no yes either'],
    ['network', 'known !== undefined', 'false', 'made once more, of the same certificates'],
    ['network', 'contexts.set(network, context)', ';', 'made once more, of the same certificates'],
    [
      'send-request',
      "options.protocol !== 'https:'",
      'false',
      'a shortcut for speed: the connector for TLS speaks plain http too, and reads certificates for nothing',
    ],
    [
      'user-fetch',
      'proxy === undefined',
      'false',
      'for the compiler: what comes here was found to have a proxy a moment before',
    ],
    ['user-fetch', 'signal?.reason', 'signal.reason', 'for the compiler: nobody else calls it'],
  ].map(([file = '', code = '', by = '', because = '']) => inOutbound(file, code, by, because)),
]
