import type { Row, SigningKey, Step, TokenSpec, Try } from '../row.ts'

const needs = ['resource server'] as const
const good: readonly Step[] = [{ do: 'call' }]
const guarded = { needs, good, twin: '200', expect: ['RS401'] } as const

/** What must not be refused by mistake. */
const passes = { ...guarded, expect: ['200'], reachesUpstream: true } as const

const call = (token: Step['token']): readonly Step[] => [
  { do: 'call', token: token as NonNullable<Step['token']> },
]
const withToken = (tokens: Readonly<Record<string, TokenSpec | string>>): Try[] =>
  Object.entries(tokens).map(([what, token]) => ({ what, steps: call(token) }))
const claim = (name: string, values: readonly unknown[]): Try[] =>
  values.map((value) => ({
    what: `${name} ${JSON.stringify(value)}`,
    steps: call({ claims: { [name]: value } }),
  }))
const header = (name: string, values: readonly unknown[]): Try[] =>
  values.map((value) => ({
    what: `${name} ${JSON.stringify(value)}`,
    steps: call({ header: { [name]: value } }),
  }))
const inHeader = (values: Readonly<Record<string, string | readonly string[]>>): Try[] =>
  Object.entries(values).map(([what, authorization]) => ({
    what,
    steps: [{ do: 'call', token: null, headers: { authorization } }],
  }))
const now = Math.floor(Date.now() / 1000)
const publicKeys: readonly SigningKey[] = [
  'public pem',
  'public pem after a space',
  'public pem after a newline',
  'public der',
  'public jwk',
  'public modulus',
]
const attackerJwk = { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }

/** Groups G and H: bearer tokens, and the keys that they are checked with. */
export const bearerRows: readonly Row[] = [
  {
    // First: a key id that nobody knows makes the guard wait before it looks for new keys again.
    id: 'H01',
    ...passes,
    keyFetches: 1,
    tries: [
      {
        what: 'a new key is found with one look',
        steps: [{ do: 'rotate keys' }, ...call({ key: 'rotated' })],
      },
    ],
  },
  {
    id: 'G01',
    ...guarded,
    tries: ['POST', 'GET', 'DELETE'].map((method) => ({
      what: method,
      steps: [{ do: 'call', token: null, method }],
    })),
  },
  {
    id: 'G02',
    ...guarded,
    tries: [
      ...header('alg', ['none', 'None', 'nOnE', '', null, ['ES256']]),
      ...withToken({
        'alg none without a signature': { header: { alg: 'none' }, signature: 'empty' },
        'no signature': { signature: 'empty' },
      }),
    ],
  },
  {
    id: 'G03',
    ...guarded,
    tries: publicKeys.flatMap((key) =>
      ['HS256', 'HS384', 'HS512'].map((alg) => ({
        what: `${alg} by the ${key}`,
        steps: call({ key, header: { alg } }),
      })),
    ),
  },
  {
    id: 'G05',
    ...guarded,
    tries: withToken({ 'a key in the header': { key: 'attacker', header: { jwk: attackerJwk } } }),
  },
  {
    id: 'G06',
    ...guarded,
    fetches: 0,
    tries: withToken({
      'jku of the attacker': { key: 'attacker', header: { jku: '{documents}/keys' } },
      'x5u of the attacker': { key: 'attacker', header: { x5u: '{documents}/keys' } },
    }),
  },
  {
    id: 'G07',
    ...guarded,
    tries: withToken({ 'a chain of its own': { key: 'attacker', header: { x5c: ['MIIB'] } } }),
  },
  {
    id: 'G09',
    ...guarded,
    isChoice: true,
    tries: withToken({ 'no kid while several keys fit': { header: { kid: null } } }),
  },
  {
    id: 'G10',
    ...guarded,
    tries: withToken({
      'the same kid, another key': { key: 'attacker' },
      'the same kid and key, another issuer': { claims: { iss: 'https://other.example' } },
    }),
  },
  {
    id: 'G11',
    ...guarded,
    tries: claim('iss', [
      'https://other.example',
      null,
      '{playedIssuer}/',
      'HTTP://127.0.0.1',
      ['{playedIssuer}'],
      '',
    ]),
  },
  {
    id: 'G12',
    ...guarded,
    tries: claim('aud', [
      null,
      '',
      [],
      'https://other.example/mcp',
      '{endpoint}/',
      '{endpoint}x',
      'http://{host}',
      'http://{host}/notes/MCP',
    ]),
  },
  {
    id: 'G13',
    ...guarded,
    tries: claim('aud', [
      ['{endpoint}', 'https://other.example/mcp'],
      ['https://other.example/mcp', '{endpoint}'],
    ]),
  },
  {
    id: 'G14',
    ...guarded,
    tries: header('typ', [
      'JWT',
      null,
      'dpop+jwt',
      'logout+jwt',
      'oauth-id-jag+jwt',
      'token-introspection+jwt',
      'warder-assertion+jwt',
      ['at+jwt'],
    ]),
  },
  {
    id: 'G14',
    ...passes,
    tries: header('typ', ['AT+JWT', 'application/at+jwt', 'Application/At+Jwt']),
  },
  {
    id: 'G15',
    ...guarded,
    tries: withToken({
      'an ID token': {
        header: { typ: 'JWT' },
        claims: { aud: 'some-client', nonce: 'n', scope: null, client_id: null },
      },
    }),
  },
  {
    id: 'G17',
    ...guarded,
    tries: withToken({
      'nbf in an hour': { claims: { nbf: now + 3_600 } },
      'iat in an hour': { claims: { iat: now + 3_600 } },
    }),
  },
  { id: 'G17', ...passes, tries: withToken({ 'nbf a minute ago': { claims: { nbf: now - 60 } } }) },
  {
    id: 'G18',
    ...guarded,
    tries: ['sub', 'client_id', 'jti', 'iat', 'exp']
      .flatMap((name) => claim(name, [null, 1.5, ['x'], {}]))
      .filter(({ what }) => !/^(iat|exp) 1.5/.test(what)),
  },
  {
    id: 'G19',
    ...guarded,
    tries: [
      ...header('crit', [['unknown'], [], ['b64'], 'exp']),
      ...withToken({ 'b64 false': { header: { b64: false, crit: ['b64'] } } }),
    ],
  },
  {
    id: 'G21',
    ...guarded,
    tries: withToken({
      'five parts': '{header}.{payload}.{payload}.{payload}.{signature}',
      PBES2: `${Buffer.from('{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000}').toString('base64url')}.x.x.x.x`,
      zip: { header: { zip: 'DEF' }, key: 'attacker' },
    }),
  },
  {
    id: 'G22',
    ...guarded,
    expect: ['RS401', '431'],
    tries: withToken({
      '100 KB': { claims: { x: 'x'.repeat(100_000) } },
      '12 KB': { claims: { x: 'x'.repeat(9_000) }, key: 'attacker' },
    }),
  },
  {
    id: 'G23',
    ...guarded,
    tries: withToken({
      'four dots': '{bearer}..',
      'two parts': '{header}.{payload}',
      detached: '{header}..{signature}',
      'one dot more': '{bearer}.',
      'a JSON serialization': '{"payload":"x","signatures":[]}',
    }),
  },
  {
    id: 'G25',
    ...guarded,
    tries: withToken({
      'r = s = 0': { signature: 'zero' },
      'r and s over the order': { signature: 'over' },
      'a DER signature': { signature: 'der' },
      truncated: { signature: 'truncated' },
      empty: { signature: 'empty' },
    }),
  },
  {
    id: 'G26',
    ...guarded,
    tries: withToken({ 'a key of 1024 bits': { key: 'issuer rsa', header: { kid: 'weak' } } }),
  },
  {
    id: 'G27',
    ...guarded,
    expect: ['RS403', '403'],
    tries: claim('scope', [
      ['notes:read'],
      'notes:read\tother',
      'Notes:Read',
      'notes:readwrite',
      'notes',
      '',
      null,
    ]).map((one, at) => ({
      ...one,
      // Each as another client: what is asked again and again is explained, not challenged.
      steps: one.steps.map((step) => ({
        ...step,
        token: { claims: { ...(step.token as TokenSpec).claims, client_id: `client-${at}` } },
      })),
    })),
  },
  {
    id: 'G29',
    ...guarded,
    expect: ['400 invalid_request', '400', 'RS401'],
    tries: [
      { what: 'in the query', steps: [{ do: 'call', token: null, url: '{endpoint}?access_token={bearer}' }] },
      {
        what: 'in the query and the header',
        steps: [{ do: 'call', url: '{endpoint}?access_token={bearer}' }],
      },
      {
        what: 'in a cookie',
        steps: [{ do: 'call', token: null, headers: { cookie: 'access_token={bearer}' } }],
      },
      { what: 'in the body', steps: [{ do: 'call', token: null, with: { access_token: '{bearer}' } }] },
      {
        what: 'for a proxy',
        steps: [{ do: 'call', token: null, headers: { 'proxy-authorization': 'Bearer {bearer}' } }],
      },
    ],
  },
  {
    id: 'G30',
    ...guarded,
    expect: ['RS401', '400'],
    tries: inHeader({
      'two lines': ['Bearer {bearer}', 'Bearer x'],
      'two lines, the good one last': ['Bearer x', 'Bearer {bearer}'],
      'joined by a comma': 'Bearer {bearer}, Bearer {bearer}',
      'a tab': 'Bearer\t{bearer}',
      'two spaces': 'Bearer  {bearer}',
      'no space': 'Bearer{bearer}',
      Basic: 'Basic {bearer}',
      'no scheme': '{bearer}',
      'and more behind it': 'Bearer {bearer} x',
    }),
  },
  { id: 'G30', ...passes, tries: inHeader({ bearer: 'bearer {bearer}', BEARER: 'BEARER {bearer}' }) },
  {
    id: 'G31',
    ...guarded,
    needs: [...needs, 'two servers'],
    tries: [{ what: 'a token for the server beside it', steps: [{ do: 'call', url: '{otherEndpoint}' }] }],
  },
  {
    id: 'G33',
    ...guarded,
    expect: ['RS401', '400'],
    tries: ['canary"x', 'canary\\x', 'canary,error="x"', 'canary\u00e9'].map((token) => ({
      what: token,
      steps: [{ do: 'call', token, hides: ['canary'] }],
    })),
  },
  {
    id: 'G34',
    needs: [...needs, 'policy'],
    good: [{ do: 'request', url: 'http://{host}/.well-known/oauth-protected-resource{path}' }],
    twin: '200',
    expect: ['404'],
    tries: ['/none', '{path}/', '{path}/more', '/..{path}'].map((path) => ({
      what: path,
      steps: [{ do: 'request', url: `http://{host}/.well-known/oauth-protected-resource${path}` }],
    })),
  },
  {
    id: 'G35',
    ...guarded,
    expect: ['RS401', '400'],
    tries: inHeader({
      'Bearer %': 'Bearer %',
      Bearer: 'Bearer',
      'Bearer and a space': 'Bearer ',
      'Latin-1': 'Bearer \u00e9',
      'dots only': 'Bearer ..',
      'no base64': 'Bearer !.!.!',
      'JSON that is none': `Bearer ${Buffer.from('{').toString('base64url')}.e30.x`,
      'a number': `Bearer ${Buffer.from('1').toString('base64url')}.MQ.x`,
    }),
  },
  {
    id: 'G40',
    ...guarded,
    expect: ['RS401', '404', '426', '405'],
    tries: [
      ...['initialize', 'ping', 'tools/list', 'server/discover', 'notifications/initialized'].map((rpc) => ({
        what: rpc,
        steps: [{ do: 'call', token: null, rpc } as const],
      })),
      {
        what: 'the old transport',
        steps: [{ do: 'call', token: null, method: 'GET', url: 'http://{host}/sse' }],
      },
      {
        what: 'its messages',
        steps: [{ do: 'call', token: null, url: 'http://{host}/messages?sessionId=x' }],
      },
    ],
  },
  {
    id: 'G41',
    ...guarded,
    tries: [
      { what: 'no body', steps: [{ do: 'call', token: null, body: '' }] },
      { what: 'no JSON', steps: [{ do: 'call', token: null, body: '{' }] },
      { what: 'a batch', steps: [{ do: 'call', token: null, body: '[{message}]' }] },
    ],
  },
  {
    id: 'H02',
    ...guarded,
    expect: ['50 × RS401'],
    keyFetches: 1,
    tries: [
      {
        what: '50 unknown key ids at once',
        steps: [{ do: 'call', times: 50, token: { header: { kid: 'unknown-{n}' } } }],
      },
    ],
  },
  {
    id: 'H07',
    ...guarded,
    tries: withToken({ 'the key of another algorithm': { header: { kid: 'two' } } }),
  },
]
