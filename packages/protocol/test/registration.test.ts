import { describe, expect, it } from 'vitest'
import { describeClient, readRegistration } from '../src/index.ts'
import { reasonOf } from './reason-of.ts'

const redirect_uris = ['https://app.example/cb']
const reason = (json: unknown) => reasonOf(() => readRegistration(json))

describe('the clients in use register', () => {
  it.each<[string, object, boolean]>([
    [
      'Claude',
      {
        client_name: 'Claude',
        redirect_uris: ['https://claude.ai/api/mcp/auth_callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_post',
      },
      false,
    ],
    [
      'VS Code',
      {
        client_name: 'Visual Studio Code',
        application_type: 'native',
        redirect_uris: [
          'https://insiders.vscode.dev/redirect',
          'https://vscode.dev/redirect',
          'http://127.0.0.1/',
          'http://127.0.0.1:33418/',
        ],
        token_endpoint_auth_method: 'none',
      },
      true,
    ],
    [
      'Cursor',
      {
        client_name: 'Cursor',
        redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'],
        token_endpoint_auth_method: 'none',
        client_uri: 'https://cursor.com',
      },
      true,
    ],
    [
      'Inspector',
      {
        client_name: 'MCP Inspector',
        application_type: 'native',
        redirect_uris: ['http://localhost:6274/oauth/callback'],
        client_uri: 'https://github.com/modelcontextprotocol/inspector',
        scope: '',
      },
      true,
    ],
    [
      'Gemini CLI',
      {
        client_name: 'Gemini CLI MCP Client',
        redirect_uris: ['http://localhost:7777/oauth/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'none',
        scope: 'a b',
      },
      true,
    ],
    ['mcpc', { redirect_uris: ['http://127.0.0.1:13316/callback'], logo_uri: null, client_uri: '' }, true],
  ])('%s', (_, json, native) => {
    expect(readRegistration(json).native).toBe(native)
    expect(describeClient(readRegistration(json)).token_endpoint_auth_method).toBe('none')
  })
})

describe('D02: redirect_uris', () => {
  it.each([
    undefined,
    null,
    [],
    '',
    'https://app.example/cb',
    {},
    [{}],
    [null],
    [redirect_uris],
    [1],
    { 0: 'https://app.example/cb', length: 1 },
  ])('D02 refuses %j', (value) => {
    expect(reason({ redirect_uris: value })).toBe('registration.redirect-uri')
  })

  it('D02 does not take redirect_uris from a prototype', () => {
    expect(reason(Object.create({ redirect_uris }))).toBe('registration.redirect-uri')
    expect(reason({ redirect_uris })).toBe('accepted')
  })

  it('D02 refuses a body that is no object', () => {
    expect(reason([{ redirect_uris }])).toBe('registration.not-json')
    expect(reason(null)).toBe('registration.not-json')
    expect(reason('x')).toBe('registration.not-json')
  })

  it('D03 refuses the whole registration for one bad URI among good ones', () => {
    expect(reason({ redirect_uris: [...redirect_uris, 'http://evil.example/cb'] })).toBe(
      'registration.redirect-uri',
    )
    expect(reason({ redirect_uris: [...redirect_uris, 'javascript:alert(1)'] })).toBe(
      'registration.redirect-uri',
    )
    expect(reason({ redirect_uris: [...redirect_uris, 'https://app.example/other'] })).toBe('accepted')
  })

  it('D23 refuses 33 redirect URIs and takes 32', () => {
    const uris = (count: number) => Array.from({ length: count }, (_, at) => `https://app.example/${at}`)
    expect(reason({ redirect_uris: uris(33) })).toBe('registration.redirect-uri')
    expect(reason({ redirect_uris: uris(32) })).toBe('accepted')
  })
})

describe('D05, D06: grants and responses', () => {
  it.each([
    [['client_credentials']],
    [['urn:ietf:params:oauth:grant-type:token-exchange']],
    [['urn:ietf:params:oauth:grant-type:jwt-bearer']],
    [['implicit']],
    [['password']],
    [['refresh_token']],
    ['authorization_code'],
    [[1]],
    [[['authorization_code']]],
  ])('D05 D06 refuses grant_types %j', (grant_types) => {
    expect(reason({ redirect_uris, grant_types })).toBe('registration.metadata')
  })

  it.each([
    [undefined, ['authorization_code', 'refresh_token']],
    [[], ['authorization_code', 'refresh_token']],
    [['authorization_code'], ['authorization_code']],
    [
      ['refresh_token', 'authorization_code', 'client_credentials', 'implicit'],
      ['authorization_code', 'refresh_token'],
    ],
  ])('D05 answers grant_types %j with %j', (grant_types, answered) => {
    expect(describeClient(readRegistration({ redirect_uris, grant_types })).grant_types).toEqual(answered)
  })

  it.each([[['token']], [['id_token']], [['code token']], ['code']])(
    'D06 refuses response_types %j',
    (response_types) => {
      expect(reason({ redirect_uris, response_types })).toBe('registration.metadata')
    },
  )

  it.each([[['code']], [['code', 'token']], [[]], [undefined]])(
    'D06 answers response_types %j with code',
    (response_types) => {
      expect(describeClient(readRegistration({ redirect_uris, response_types })).response_types).toEqual([
        'code',
      ])
    },
  )

  it.each([
    'private_key_jwt',
    'client_secret_jwt',
    'tls_client_auth',
    'self_signed_tls_client_auth',
    'None',
    1,
    ['none'],
  ])(
    'D06 refuses the authentication method %j, which Warder would have to verify',
    (token_endpoint_auth_method) => {
      expect(reason({ redirect_uris, token_endpoint_auth_method })).toBe('registration.metadata')
    },
  )

  it.each(['client_secret_basic', 'client_secret_post', 'none', undefined, null])(
    'C10 answers %j with none',
    (method) => {
      expect(
        readRegistration({ redirect_uris, token_endpoint_auth_method: method }).tokenEndpointAuthMethod,
      ).toBe('none')
    },
  )

  it('D07 refuses jwks and jwks_uri together', () => {
    expect(reason({ redirect_uris, jwks: { keys: [] }, jwks_uri: 'https://app.example/jwks' })).toBe(
      'registration.metadata',
    )
    expect(reason({ redirect_uris, jwks_uri: 'https://app.example/jwks' })).toBe('accepted')
  })

  it('D05 refuses a scope of wrong form', () => {
    expect(reason({ redirect_uris, scope: 'a"b' })).toBe('registration.metadata')
    expect(reason({ redirect_uris, scope: ['a'] })).toBe('registration.metadata')
    expect(readRegistration({ redirect_uris, scope: 'b a b' }).scope).toBe('b a')
  })
})

describe('D22: application_type', () => {
  it.each([
    'http://127.0.0.1/cb',
    'http://localhost:1/cb',
    'http://[::1]/cb',
    'cursor://anysphere.cursor-mcp/x',
    'com.example.app:/cb',
  ])('D22 refuses web with %s, and takes native and none for native', (uri) => {
    expect(reason({ redirect_uris: [uri], application_type: 'web' })).toBe('registration.redirect-uri')
    expect(readRegistration({ redirect_uris: [uri], application_type: 'native' }).native).toBe(true)
    expect(describeClient(readRegistration({ redirect_uris: [uri] })).application_type).toBe('native')
  })

  it('D22 refuses native with http beyond loopback', () => {
    expect(reason({ redirect_uris: ['http://app.example/cb'], application_type: 'native' })).toBe(
      'registration.redirect-uri',
    )
    expect(reason({ redirect_uris, application_type: 'native' })).toBe('accepted')
  })

  it('D22 takes https without application_type for web, where no port is free', () => {
    expect(describeClient(readRegistration({ redirect_uris })).application_type).toBe('web')
    expect(readRegistration({ redirect_uris }).native).toBe(false)
  })

  it.each(['Native', 'service', 1, {}])('D22 refuses application_type %j', (application_type) => {
    expect(reason({ redirect_uris, application_type })).toBe('registration.metadata')
  })
})

describe('D09, D10, D11: what is shown', () => {
  it.each(['client_uri', 'logo_uri', 'tos_uri', 'policy_uri'])(
    'D09 refuses %s with a scheme that does something',
    (field) => {
      for (const value of [
        'javascript:alert(1)',
        'JaVaScRiPt://x/%0aalert(1)',
        'data:text/html,x',
        ' https://x',
        'file:///x',
        1,
        {},
      ]) {
        expect(reason({ redirect_uris, [field]: value })).toBe('registration.metadata')
      }
      expect(reason({ redirect_uris, [field]: 'https://app.example/about' })).toBe('accepted')
    },
  )

  it('D09 leaves out web addresses that cannot be shown safely', () => {
    expect(
      readRegistration({ redirect_uris, client_uri: 'https://good.example@evil.example/' }).clientUri,
    ).toBeUndefined()
    expect(readRegistration({ redirect_uris, client_uri: 'https://app.example/' }).clientUri).toBe(
      'https://app.example/',
    )
  })

  it.each([
    ['A\u202Egnp.exe', 'Agnp.exe'],
    ['Cla\u200bude\ufeff\u2060', 'Claude'],
    ['a\u{e0041}\u{e0042}b', 'ab'],
    ['a\u0000\u001b[31mb\u0085', 'a[31mb'],
    ['\u2066x\u2069', 'x'],
    ['  a \t\n b\u2028c ', 'a b c'],
    ['a\u3164\u115f\u2800b', 'ab'],
    ['<b>Claude</b> & "co"', '<b>Claude</b> & "co"'],
    ['Größe 名前', 'Größe 名前'],
  ])('D10 shows %j as %j', (client_name, shown) => {
    expect(readRegistration({ redirect_uris, client_name }).clientName).toBe(shown)
  })

  it('D10 cuts names at 200 characters and takes blank ones for none', () => {
    expect(readRegistration({ redirect_uris, client_name: '😀'.repeat(10_000) }).clientName).toBe(
      '😀'.repeat(200),
    )
    expect(readRegistration({ redirect_uris, client_name: ' \u200b\u202e ' }).clientName).toBeUndefined()
    expect(reason({ redirect_uris, client_name: { toString: 'x' } })).toBe('registration.metadata')
  })

  it('D11 D13 keeps nothing of localized members, software statements and unknown members', () => {
    const json = {
      redirect_uris,
      'client_name#ja': 'x',
      'logo_uri#fr': 'javascript:x',
      software_statement: 'x',
      admin: true,
    }
    expect(readRegistration(json)).toEqual(readRegistration({ redirect_uris }))
    expect(Object.keys(describeClient(readRegistration(json)))).toEqual([
      'redirect_uris',
      'application_type',
      'grant_types',
      'response_types',
      'token_endpoint_auth_method',
    ])
  })
})
