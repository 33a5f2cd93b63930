import { eachValue, type Row, type Step } from '../row.ts'

const needs = ['authorization server', 'registration'] as const
const good: readonly Step[] = [{ do: 'register' }]
const registered = { needs, good, twin: '201' } as const
const callback = 'http://127.0.0.1:7777/callback'

const badUris = [
  'https://app.example/x/../cb',
  'https://app.example@evil.example/cb',
  'https://app.example:x@evil.example/cb',
  'https://evil.example\\@app.example/cb',
  'https://app.example/cb\n',
  'https://app.example/cb#x',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  ' java\tscript:alert(1)',
  'data:text/html,x',
  'vbscript:x',
  'blob:https://app.example/x',
  'file:///etc/passwd',
  'about:blank',
  'view-source:https://app.example/',
  'intent:x',
  'unknownscheme://cb',
  'http://localhost.evil.example/cb',
  'http://localhost@evil.example/cb',
  'http://127.1/cb',
  'http://0x7f000001/cb',
  'http://2130706433/cb',
  'http://0.0.0.0/cb',
  'http://[::ffff:127.0.0.1]/cb',
  'http://app.example/cb',
] as const

/** Group D: dynamic client registration. */
export const registrationRows: readonly Row[] = [
  {
    id: 'D02',
    ...registered,
    expect: ['400 invalid_redirect_uri'],
    tries: eachValue(good, 'redirect_uris', [null, [], callback, [{ uri: callback }], {}]),
  },
  {
    id: 'D03',
    ...registered,
    expect: ['400 invalid_redirect_uri'],
    tries: eachValue(
      good,
      'redirect_uris',
      badUris.map((uri) => [uri]),
    ),
  },
  {
    id: 'D05',
    ...registered,
    expect: ['400 invalid_client_metadata'],
    tries: eachValue(good, 'grant_types', [
      ['client_credentials'],
      ['urn:ietf:params:oauth:grant-type:token-exchange'],
      ['urn:ietf:params:oauth:grant-type:jwt-bearer'],
      ['implicit'],
      ['password'],
    ]),
  },
  {
    id: 'D06',
    ...registered,
    expect: ['400 invalid_client_metadata'],
    tries: [
      ...eachValue(good, 'response_types', [['token'], ['id_token'], 'code']),
      ...eachValue(good, 'grant_types', [['refresh_token'], 'authorization_code']),
      ...eachValue(good, 'token_endpoint_auth_method', ['private_key_jwt', 'tls_client_auth', 'nothing', 1]),
    ],
  },
  {
    id: 'D07',
    ...registered,
    expect: ['400 invalid_client_metadata'],
    tries: [
      {
        what: 'jwks and jwks_uri',
        steps: [{ do: 'register', with: { jwks: { keys: [] }, jwks_uri: 'https://app.example/keys' } }],
      },
    ],
  },
  {
    id: 'D09',
    ...registered,
    expect: ['400 invalid_client_metadata'],
    tries: ['client_uri', 'tos_uri', 'policy_uri', 'logo_uri'].flatMap((name) =>
      eachValue(good, name, ['javascript:alert(1)', 'data:text/html,x']),
    ),
  },
  {
    id: 'D10',
    ...registered,
    // Refused or cleaned: what hides in a name never comes back.
    expect: ['201', '400 invalid_client_metadata'],
    tries: ['\u202e', '\u200b', '\u{e0041}', '\u0000', '\u2066'].map((hidden) => ({
      what: `client_name with U+${hidden.codePointAt(0)?.toString(16)}`,
      steps: [
        {
          do: 'register',
          with: { client_name: `Note${hidden}s` },
          hides: [hidden, JSON.stringify(hidden).slice(1, -1)],
        },
      ],
    })),
  },
  {
    id: 'D11',
    ...registered,
    expect: ['201', '400 invalid_client_metadata'],
    tries: [
      {
        what: 'client_name#ja',
        steps: [{ do: 'register', with: { 'client_name#ja': 'canary<script>' }, hides: ['canary'] }],
      },
      {
        what: 'logo_uri#fr',
        steps: [{ do: 'register', with: { 'logo_uri#fr': 'javascript:canary' }, hides: ['canary'] }],
      },
    ],
  },
  {
    id: 'D13',
    ...registered,
    // A statement that is not understood is ignored as a whole (RFC 7591 section 2.3): its claims are never applied.
    expect: ['201', '400 invalid_software_statement', '400 unapproved_software_statement'],
    tries: [
      {
        what: 'claims of an unsigned statement',
        steps: [
          {
            do: 'register',
            // {"client_name":"Canary"}
            with: { software_statement: 'eyJhbGciOiJub25lIn0.eyJjbGllbnRfbmFtZSI6IkNhbmFyeSJ9.' },
            hides: ['Canary'],
          },
        ],
      },
    ],
  },
  {
    id: 'D14',
    ...registered,
    // Thirty at once, and one more every two seconds, however long the sixty take.
    expect: Array.from(
      { length: 20 },
      (_, more) => `${30 + more} × 201, ${30 - more} × 429 temporarily_unavailable`,
    ),
    tries: [
      {
        what: '60 at once from one address',
        steps: [{ do: 'register', headers: { 'x-forwarded-for': '198.51.100.7' }, times: 60 }],
      },
    ],
  },
  {
    id: 'D18',
    ...registered,
    // Registration is open: what stands in the header may be refused or not looked at, and is never an error of ours.
    expect: ['400', '401', '201'],
    tries: ['Bearer', 'Bearer ', 'Bearer \t', 'Bearer x\ty', 'Basic %%%', ','].map((authorization) => ({
      what: `Authorization ${JSON.stringify(authorization)}`,
      steps: [{ do: 'register', headers: { authorization } }],
    })),
  },
  {
    id: 'D19',
    ...registered,
    expect: ['400 invalid_client_metadata', '400 invalid_redirect_uri', '400 invalid_request', '413'],
    tries: [
      ['no JSON', '{'],
      ['an array', '[]'],
      [
        'a key twice',
        '{"redirect_uris":["https://app.example/cb"],"redirect_uris":["https://evil.example/cb"]}',
      ],
      ['1 MB', `{"redirect_uris":["${callback}"],"x":"${'x'.repeat(1_000_000)}"}`],
      ['10,000 deep', `{"redirect_uris":["${callback}"],"x":${'['.repeat(6_000)}${']'.repeat(6_000)}}`],
    ].map(([what = '', body = '']) => ({ what, steps: [{ do: 'register', body }] })),
  },
  {
    id: 'D22',
    ...registered,
    expect: ['400 invalid_redirect_uri'],
    tries: [
      { what: 'web on loopback', steps: [{ do: 'register', with: { application_type: 'web' } }] },
      {
        what: 'native on http elsewhere',
        steps: [
          { do: 'register', with: { application_type: 'native', redirect_uris: ['http://app.example/cb'] } },
        ],
      },
    ],
  },
  {
    id: 'D23',
    ...registered,
    expect: ['400', '413'],
    tries: [
      {
        what: '100 redirect URIs of 2 KB',
        steps: [
          {
            do: 'register',
            with: {
              redirect_uris: Array.from(
                { length: 100 },
                (_, at) => `https://app.example/${at}/${'x'.repeat(2_000)}`,
              ),
            },
          },
        ],
      },
    ],
  },
]
