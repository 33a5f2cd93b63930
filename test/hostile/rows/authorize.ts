import { eachValue, flawed, type Row, type Step } from '../row.ts'

const good: readonly Step[] = [{ do: 'authorize' }]
const needs = ['authorization server', 'registration'] as const

/** A client that registered this redirect URI asks with another one. */
const registeredWith = (uri: string): readonly Step[] => [
  {
    do: 'register',
    with: { redirect_uris: [uri], application_type: uri.startsWith('https') ? 'web' : 'native' },
  },
  { do: 'authorize', with: { redirect_uri: uri } },
]
const web = registeredWith('https://app.example/cb')
const local = registeredWith('http://127.0.0.1/cb')
const redirect = { needs, twin: 'sign in', expect: ['page 400'] } as const
const metadata = '{issuer}/.well-known/oauth-authorization-server'
const answered = { needs, good, twin: 'sign in' } as const

/** Group A: the authorization endpoint. */
export const authorizeRows: readonly Row[] = [
  {
    id: 'A01',
    ...redirect,
    good,
    tries: eachValue(good, 'client_id', [
      'nobody',
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      null,
      'x'.repeat(10_240),
    ]),
  },
  {
    id: 'A02',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', ['https://evil.example/cb', 'https://app.example.evil.example/cb']),
  },
  {
    id: 'A03',
    ...redirect,
    good: web,
    isChoice: true,
    tries: [
      ...eachValue(web, 'redirect_uri', [null]),
      {
        what: 'redirect_uri missing, of several',
        steps: [
          { do: 'register', with: { redirect_uris: ['https://app.example/1', 'https://app.example/2'] } },
          { do: 'authorize', with: { redirect_uri: null } },
        ],
      },
    ],
  },
  {
    id: 'A04',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', [
      'https://app.example/cb/extra',
      'https://app.example/x/../cb',
      'https://app.example/./cb',
      'https://app.example/%2e%2e/cb',
      'https://app.example/cb?x=1',
      'https://app.example/cb/',
      'https://app.example/cb;x',
      'https://app.example/',
    ]),
  },
  {
    id: 'A05',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', [
      'https://app.example@evil.example/cb',
      'https://app.example:x@evil.example/cb',
    ]),
  },
  {
    id: 'A06',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', [
      'https://evil.example\\@app.example/cb',
      'https://app.example\\cb',
      'https://app.example/cb\t',
      'https://app.example/cb\r\n',
      ' https://app.example/cb',
      'https://app.example/cb ',
      'https://app.example/cb\u0000',
    ]),
  },
  {
    id: 'A07',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', [
      'https://APP.example/cb',
      'HTTPS://app.example/cb',
      'https://app.example:443/cb',
      'https://xn--app-.example/cb',
    ]),
  },
  { id: 'A08', ...redirect, good: web, tries: eachValue(web, 'redirect_uri', ['https://app.example/cb#x']) },
  { id: 'A09', ...redirect, good: web, tries: eachValue(web, 'redirect_uri', ['https://app.example/c%62']) },
  {
    id: 'A10',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', [
      'javascript:alert(1)',
      'JaVaScRiPt:alert(1)',
      ' java\tscript:alert(1)',
      'data:text/html,x',
      'vbscript:x',
      'blob:https://app.example/x',
      'file:///etc/passwd',
      'about:blank',
      'view-source:https://app.example/cb',
      'intent:x',
      'custom:x',
    ]),
  },
  {
    id: 'A11',
    ...redirect,
    good: local,
    tries: eachValue(local, 'redirect_uri', [
      'http://127.0.0.1:8080/other',
      'https://127.0.0.1/cb',
      'http://localhost/cb',
      'http://[::1]/cb',
      'http://127.0.0.1.evil.example/cb',
      'http://127.0.0.2/cb',
      'http://127.0.0.1:8080/cb?x=1',
    ]),
  },
  {
    id: 'A12',
    ...redirect,
    good: local,
    tries: eachValue(local, 'redirect_uri', [
      'http://localhost.evil.example/cb',
      'http://localhost@evil.example/cb',
      'http://127.1/cb',
      'http://0x7f000001/cb',
      'http://2130706433/cb',
      'http://0.0.0.0/cb',
      'http://[::ffff:127.0.0.1]/cb',
    ]),
  },
  {
    id: 'A13',
    ...redirect,
    good: web,
    tries: eachValue(web, 'redirect_uri', ['http://app.example/cb', 'http://evil.example/cb']),
  },
  {
    id: 'A14',
    ...answered,
    // Of a state that stands there twice neither comes back.
    expect: ['page 400', 'redirect invalid_request', 'redirect invalid_request (no state)'],
    tries: [
      ...[
        'client_id=x',
        'redirect_uri=x',
        'scope=x',
        'state=x',
        'code_challenge=x',
        'response_type=code',
      ].map((twice) => ({
        what: `${twice} again`,
        steps: [{ do: 'authorize', append: `&${twice}` } as const],
      })),
      { what: 'client_id[]', steps: [{ do: 'authorize', append: '&client_id%5B%5D=x' }] },
    ],
  },
  {
    id: 'A15',
    ...answered,
    expect: ['redirect unsupported_response_type', 'redirect invalid_request'],
    tries: eachValue(good, 'response_type', [
      'token',
      'id_token',
      'code token',
      'code id_token',
      'code ',
      '',
      null,
    ]),
  },
  {
    id: 'A17',
    ...answered,
    expect: ['redirect invalid_request'],
    tries: flawed(good, {
      'no code_challenge': { with: { code_challenge: null } },
      'no PKCE at all': { with: { code_challenge: null, code_challenge_method: null } },
      'empty code_challenge': { with: { code_challenge: '' } },
    }),
  },
  {
    id: 'A18',
    ...answered,
    expect: ['redirect invalid_request'],
    tries: eachValue(good, 'code_challenge_method', ['plain', null, 's256', 'S512', 'S256 ', '']),
  },
  {
    id: 'A19',
    ...answered,
    expect: ['redirect invalid_request'],
    tries: eachValue(good, 'code_challenge', [
      'x'.repeat(42),
      'x'.repeat(44),
      `${'x'.repeat(42)}=`,
      `${'x'.repeat(42)}+`,
      `${'x'.repeat(42)}/`,
      `${'x'.repeat(42)}é`,
    ]),
  },
  {
    id: 'A21',
    ...answered,
    expect: ['redirect invalid_scope'],
    tries: [
      ...eachValue(good, 'scope', ['"quoted"', 'with\ttab', 'x'.repeat(5_000)]),
      { what: '500 scopes', steps: [{ do: 'authorize', with: { scope: 's '.repeat(500).trim() } }] },
    ],
  },
  {
    id: 'A22',
    ...answered,
    needs: [...needs, 'resource indicators'],
    expect: ['redirect invalid_target'],
    tries: eachValue(good, 'resource', [
      'https://other.example/mcp',
      '{resource}/',
      '{resource}x',
      '{issuer}/nothing',
    ]),
  },
  {
    id: 'A23',
    ...answered,
    needs: [...needs, 'resource indicators'],
    expect: ['redirect invalid_target'],
    tries: eachValue(good, 'resource', [
      '/notes/mcp',
      '{resource}#x',
      'http://user@app.example/mcp',
      'notes',
      'urn:x',
    ]),
  },
  {
    id: 'A25',
    needs: [...needs, 'pages'],
    good: [{ do: 'open' }, { do: 'log in' }],
    twin: 'page 200',
    expect: ['redirect access_denied', 'redirect invalid_target'],
    tries: [
      {
        what: 'a user whom no rule gives anything of it',
        steps: [{ do: 'open' }, { do: 'log in', with: { email: 'bob@example.com' } }],
      },
    ],
  },
  {
    id: 'A26',
    ...answered,
    needs: [...needs, 'resource indicators', 'two resources'],
    expect: ['redirect invalid_target'],
    isChoice: true,
    tries: [
      {
        what: 'two resources',
        steps: [{ do: 'authorize', with: { resource: ['{resource}', '{otherResource}'] } }],
      },
    ],
  },
  {
    id: 'A27',
    ...answered,
    needs: [...needs, 'resource indicators', 'two resources'],
    expect: ['redirect invalid_target'],
    isChoice: true,
    tries: eachValue(good, 'resource', [null]),
  },
  {
    id: 'A29',
    ...answered,
    // Every `redirect` outcome says so when `iss` or `state` are not there or not the same.
    expect: ['redirect unsupported_response_type'],
    tries: ['s', 'a b+c&d=é"<>', 'x'.repeat(2_000), null].map((state) => ({
      what: `state ${String(state).slice(0, 20)}`,
      steps: [{ do: 'authorize', with: { response_type: 'none-of-them', state } }],
    })),
  },
  {
    id: 'A30',
    ...answered,
    expect: ['redirect login_required', 'redirect consent_required', 'redirect interaction_required'],
    tries: eachValue(good, 'prompt', ['none']),
  },
  {
    id: 'A31',
    ...answered,
    expect: [
      'redirect request_not_supported',
      'redirect request_uri_not_supported',
      'redirect registration_not_supported',
    ],
    tries: flawed(good, {
      'a request object': { with: { request: 'eyJhbGciOiJub25lIn0.e30.' } },
      'a request URI inside': { with: { request_uri: 'http://169.254.169.254/' } },
    }),
  },
  {
    id: 'A37',
    ...answered,
    isChoice: true,
    expect: ['page 400', 'page 414', 'page 431'],
    tries: flawed(good, {
      'a query of 64 KB': { append: `&x=${'x'.repeat(65_536)}` },
      '1,000 parameters': { append: Array.from({ length: 1_000 }, (_, at) => `&x${at}=1`).join('') },
    }),
  },
  {
    id: 'A38',
    ...answered,
    expect: ['no CORS'],
    tries: [
      {
        what: 'a preflight',
        steps: [
          {
            do: 'authorize',
            method: 'OPTIONS',
            headers: { origin: 'https://evil.example', 'access-control-request-method': 'GET' },
          },
        ],
      },
    ],
  },
  {
    id: 'A39',
    ...answered,
    expect: ['page 400', 'redirect invalid_request', 'redirect invalid_scope'],
    tries: ['%', '%zz', '%ff', '%c0%af', '%00', '%ed%a0%80'].flatMap((bytes) =>
      ['state', 'scope', 'redirect_uri', 'client_id'].map((name) => ({
        what: `${name}=${bytes}`,
        steps: [{ do: 'authorize', with: { [name]: null }, append: `&${name}=${bytes}` } as const],
      })),
    ),
  },
  {
    id: 'A42',
    needs: ['authorization server'],
    good: [{ do: 'request', url: metadata }],
    twin: '200',
    expect: ['200'],
    tries: ['"plain"', '"implicit"', '"password"', '"token"', '"id_token token"'].map((hidden) => ({
      what: `metadata offer ${hidden}`,
      steps: [{ do: 'request', url: metadata, hides: [hidden] }],
    })),
  },
]
