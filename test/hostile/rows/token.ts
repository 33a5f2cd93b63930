import { eachValue, flawed, type Row, type Step } from '../row.ts'

const needs = ['authorization server', 'registration'] as const
const signIn: Step = { do: 'sign in' }
const redeem: Step = { do: 'redeem' }
const refresh: Step = { do: 'refresh' }
const redeemed: readonly Step[] = [signIn, redeem]
const refreshed: readonly Step[] = [signIn, redeem, refresh]
const code = { needs, good: redeemed, twin: '200' } as const
const rotated = { needs, good: refreshed, twin: '200' } as const
const form = 'application/x-www-form-urlencoded'

/** Group C: the token and revocation endpoints. */
export const tokenRows: readonly Row[] = [
  {
    id: 'C01',
    ...code,
    expect: ['400 invalid_grant'],
    tries: [
      { what: 'a code again', steps: [...redeemed, redeem] },
      {
        what: 'the refresh token of a code that was replayed',
        steps: [...redeemed, { ...redeem, expect: ['400'] }, refresh],
      },
    ],
  },
  {
    id: 'C02',
    ...code,
    expect: ['1 × 200, 19 × 400 invalid_grant'],
    tries: [{ what: '20 at once', steps: [signIn, { ...redeem, times: 20 }] }],
  },
  {
    id: 'C03',
    ...code,
    expect: ['400 invalid_grant'],
    tries: [
      ...eachValue(redeemed, 'code', ['{code}x', 'nothing', '{access}']),
      { what: 'the code of another client', steps: [signIn, { ...redeem, other: true }] },
      {
        what: 'what the code earned, after another client had tried it',
        steps: [signIn, { ...redeem, other: true, expect: ['400'] }, redeem],
        expect: ['200'],
      },
    ],
  },
  {
    id: 'C05',
    ...code,
    expect: ['400 invalid_grant', '400 invalid_request'],
    tries: eachValue(redeemed, 'code_verifier', [
      null,
      '',
      'w'.repeat(43),
      '{challenge}',
      'v'.repeat(42),
      'v'.repeat(129),
      `${'v'.repeat(42)}+`,
    ]),
  },
  {
    id: 'C06',
    ...code,
    expect: ['400 invalid_grant', 'redirect invalid_request'],
    tries: [
      {
        what: 'a code with PKCE, redeemed without',
        steps: [signIn, { ...redeem, with: { code_verifier: null } }],
      },
      {
        what: 'a request without PKCE',
        steps: [{ do: 'authorize', with: { code_challenge: null, code_challenge_method: null } }],
      },
    ],
  },
  {
    id: 'C10',
    ...code,
    expect: ['401 invalid_client', '400 invalid_request'],
    tries: flawed(redeemed, {
      'a public client with a secret': { with: { client_secret: 'x' } },
      'a public client by Basic': {
        with: { client_id: null },
        headers: { authorization: 'Basic eDp5' },
      },
      'an assertion that nobody signed': {
        with: {
          client_assertion: 'eyJhbGciOiJub25lIn0.e30.',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        },
      },
    }),
  },
  {
    id: 'C11',
    ...code,
    needs: [...needs, 'resource indicators'],
    expect: ['400 invalid_target'],
    tries: [
      ...eachValue(redeemed, 'resource', ['https://other.example/mcp', '{resource}/']),
      {
        what: 'the same code rightly after that',
        steps: [
          signIn,
          { ...redeem, with: { resource: 'https://other.example/mcp' }, expect: ['400 invalid_target'] },
          redeem,
        ],
        expect: ['200'],
      },
    ],
  },
  {
    id: 'C13',
    ...code,
    expect: ['400 invalid_request', '401 invalid_client'],
    tries: flawed(redeemed, {
      'Basic and a secret in the form': {
        with: { client_secret: 'x' },
        headers: { authorization: 'Basic eDp5' },
      },
    }),
  },
  {
    id: 'C14',
    ...code,
    expect: ['401 invalid_client'],
    tries: ['Basic', 'Basic ', 'Basic !!!', 'Basic eHk=', 'Basic eDolJQ==', 'basic eDp5'].map(
      (authorization) => ({
        what: authorization,
        steps: [signIn, { ...redeem, with: { client_id: null }, headers: { authorization } }],
      }),
    ),
  },
  {
    id: 'C15',
    ...code,
    expect: ['400 invalid_request', '401 invalid_client'],
    tries: flawed(redeemed, { 'another id by Basic': { headers: { authorization: 'Basic eDo=' } } }),
  },
  {
    id: 'C17',
    ...code,
    expect: ['400 invalid_request'],
    tries: [
      'application/json',
      'multipart/form-data; boundary=x',
      `application/json, ${form}`,
      `${form}; charset=utf-16`,
      `${form}2`,
      'text/plain',
      null,
    ].map((type) => ({
      what: `type ${type}`,
      steps: [signIn, { ...redeem, headers: { 'content-type': type } }],
    })),
  },
  {
    id: 'C18',
    needs: [...needs, 'revocation'],
    good: [{ do: 'revoke', with: { token: 'nothing' } }],
    twin: '200',
    expect: ['405'],
    tries: ['{token_endpoint}', '{revocation_endpoint}', '{registration_endpoint}'].flatMap((url) =>
      ['GET', 'PUT', 'HEAD'].map((method) => ({
        what: `${method} ${url}`,
        steps: [{ do: 'request', method, url }],
      })),
    ),
  },
  {
    id: 'C19',
    ...code,
    expect: ['400 invalid_request'],
    tries: [
      'grant_type=authorization_code',
      'code={code}',
      'client_id=x',
      'code%5B%24ne%5D=x',
      'client_id[]=x',
    ].map((twice) => ({ what: `and ${twice}`, steps: [signIn, { ...redeem, append: `&${twice}` }] })),
  },
  {
    id: 'C21',
    ...code,
    expect: ['400 unauthorized_client', '400 unsupported_grant_type'],
    tries: eachValue([redeem], 'grant_type', [
      'client_credentials',
      'password',
      'urn:ietf:params:oauth:grant-type:token-exchange',
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      '__proto__',
    ]),
  },
  {
    id: 'C22',
    ...rotated,
    expect: ['400 invalid_grant'],
    tries: [
      {
        what: 'a rotated token, after its child was used',
        steps: [
          signIn,
          { ...redeem, as: 'first' },
          refresh,
          refresh,
          { ...refresh, with: { refresh_token: '{first.refresh}' } },
        ],
      },
      {
        what: 'the newest token, after that',
        steps: [
          signIn,
          { ...redeem, as: 'first' },
          refresh,
          refresh,
          { ...refresh, with: { refresh_token: '{first.refresh}' }, expect: ['400'] },
          refresh,
        ],
      },
    ],
  },
  {
    id: 'C22',
    needs: [...needs, 'own tokens'],
    good: [...redeemed, { do: 'call', own: true }],
    twin: '200',
    expect: ['RS401'],
    tries: [
      {
        what: 'the access token of a family that a replay ended, within a second',
        steps: [
          signIn,
          { ...redeem, as: 'first' },
          refresh,
          refresh,
          { ...refresh, with: { refresh_token: '{first.refresh}' }, expect: ['400'] },
          { do: 'wait', seconds: 1 },
          { do: 'call', own: true },
        ],
      },
    ],
  },
  {
    id: 'C27',
    ...rotated,
    expect: ['400 invalid_grant'],
    tries: [{ what: 'by another client', steps: [...redeemed, { ...refresh, other: true }] }],
  },
  {
    id: 'C28',
    ...rotated,
    expect: ['401 invalid_client', '400 invalid_grant'],
    tries: flawed(refreshed, {
      'a client that nobody knows': { with: { client_id: 'nobody' } },
      'a public client with a secret': { with: { client_secret: 'x' } },
    }),
  },
  {
    id: 'C29',
    ...rotated,
    expect: ['400 invalid_scope'],
    tries: eachValue(refreshed, 'scope', ['notes:write', 'notes:read notes:write', 'nothing']),
  },
  {
    id: 'C30',
    ...rotated,
    needs: [...needs, 'resource indicators'],
    expect: ['400 invalid_target'],
    tries: [
      ...eachValue(refreshed, 'resource', ['https://other.example/mcp', '{resource}/']),
      {
        what: 'the same token rightly after that',
        steps: [
          ...redeemed,
          { ...refresh, with: { resource: 'https://other.example/mcp' }, expect: ['400 invalid_target'] },
          refresh,
        ],
        expect: ['200'],
      },
    ],
  },
  {
    id: 'C35',
    ...rotated,
    expect: ['400 invalid_grant'],
    tries: [
      {
        what: 'an access token to refresh',
        steps: [...redeemed, { ...refresh, with: { refresh_token: '{access}' } }],
      },
      { what: 'a code to refresh', steps: [signIn, { ...refresh, with: { refresh_token: '{code}' } }] },
      { what: 'a refresh token as a code', steps: [...redeemed, { ...redeem, with: { code: '{refresh}' } }] },
    ],
  },
  {
    id: 'C35',
    needs: [...needs, 'own tokens'],
    good: [...redeemed, { do: 'call', own: true }],
    twin: '200',
    expect: ['RS401'],
    tries: [
      {
        what: 'a refresh token as bearer',
        steps: [...redeemed, { do: 'call', own: true, token: '{refresh}' }],
      },
      { what: 'a code as bearer', steps: [signIn, { do: 'call', own: true, token: '{code}' }] },
    ],
  },
  {
    id: 'C38',
    ...code,
    // The canary is no secret, but an answer that repeats it would repeat anything.
    expect: ['401 invalid_client', '400 invalid_request', '400 invalid_grant', '400 unsupported_grant_type'],
    tries: ['client_id', 'code', 'code_verifier', 'grant_type'].map((name) => ({
      what: `${name} is not echoed`,
      steps: [{ ...redeem, with: { [name]: 'canary"<script>' }, hides: ['canary'] }],
    })),
  },
  {
    id: 'C39',
    needs,
    good: [{ do: 'sign in' }],
    twin: 'code',
    // Without credentials a public token endpoint may be read by every page: it takes no cookie.
    expect: ['no CORS', 'CORS'],
    tries: [
      {
        what: 'a preflight of another origin',
        steps: [
          {
            do: 'request',
            method: 'OPTIONS',
            url: '{token_endpoint}',
            headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
          },
        ],
      },
    ],
  },
  {
    id: 'C42',
    ...code,
    expect: ['413', '400'],
    tries: flawed([redeem], {
      'a body of 20 KB': { with: { code: 'x'.repeat(20_000) } },
      '10,000 parameters': { append: Array.from({ length: 10_000 }, (_, at) => `&x${at}=1`).join('') },
    }),
  },
  {
    id: 'C43',
    needs: [...needs, 'revocation'],
    good: [...redeemed, { do: 'revoke' }],
    twin: '200',
    expect: ['200'],
    tries: [
      { what: 'an unknown token', steps: [{ do: 'revoke', with: { token: 'nothing' } }] },
      { what: 'a token twice', steps: [...redeemed, { do: 'revoke' }, { do: 'revoke' }] },
    ],
  },
  {
    id: 'C46',
    needs: [...needs, 'revocation'],
    good: refreshed,
    twin: '200',
    expect: ['400 invalid_grant'],
    tries: [{ what: 'a refresh token that was revoked', steps: [...redeemed, { do: 'revoke' }, refresh] }],
  },
  {
    id: 'C46',
    needs: [...needs, 'revocation', 'own tokens'],
    good: [...redeemed, { do: 'call', own: true }],
    twin: '200',
    expect: ['RS401'],
    tries: [
      {
        what: 'the access token of it, within a second',
        steps: [...redeemed, { do: 'revoke' }, { do: 'wait', seconds: 1 }, { do: 'call', own: true }],
      },
    ],
  },
  {
    id: 'C50',
    needs: [...needs, 'revocation'],
    good: refreshed,
    twin: '200',
    expect: ['400 invalid_grant'],
    tries: ['access_token', 'nothing'].map((hint) => ({
      what: `revoked with the hint ${hint}`,
      steps: [...redeemed, { do: 'revoke', with: { token_type_hint: hint } }, refresh],
    })),
  },
]
