import { flawed, type Row, type Step } from '../row.ts'

const needs = ['resource server', 'upstream', 'policy'] as const
const good: readonly Step[] = [{ do: 'call' }]
const called = { needs, good, twin: '200' } as const

/** Group O, as far as it can be seen from the client's side. */
export const upstreamRows: readonly Row[] = [
  {
    id: 'O15',
    ...called,
    expect: ['502'],
    reachesUpstream: true,
    tries: [
      ['a page with a stack', 'text/html', '<pre>Error\n    at canary (/srv/canary.js:1:1)</pre>'],
      ['a text with a token', 'text/plain', 'canary token for db.canary.internal'],
      ['JSON that is no message', 'application/json', '{"stack":"canary","host":"db.canary.internal"}'],
      ['nothing', 'application/json', ''],
    ].map(([what = '', type = '', body = '']) => ({
      what,
      steps: [
        { do: 'upstream answers', answer: { status: 500, headers: { 'content-type': type }, body } },
        { do: 'call', hides: ['canary'] } as const,
      ],
    })),
  },
  {
    id: 'O16',
    ...called,
    expect: ['404'],
    tries: ['/payments/mcp', '/notes', '/notes/', '/notes/mcp/tasks', '/mcp', '/__proto__/mcp'].map(
      (path) => ({
        what: path,
        steps: [{ do: 'call', url: `http://{host}${path}` } as const],
      }),
    ),
  },
  {
    id: 'O16',
    ...called,
    expect: ['deny'],
    tries: [
      {
        what: 'a user of the issuer whom no rule names',
        steps: [{ do: 'call', token: { claims: { sub: 'mallory', scope: 'notes:read notes:write' } } }],
      },
    ],
  },
  {
    id: 'O17',
    ...called,
    expect: ['RS401'],
    tries: flawed([{ do: 'call', token: null }], {
      'an assertion of the gateway itself': { headers: { 'warder-assertion': '{bearer}' } },
      'a router key': { headers: { 'mcp-init-host': 'notes', 'router-key': 'secret-api-key' } },
      'a user from a proxy': { headers: { 'x-forwarded-user': 'alice', 'x-auth-request-user': 'alice' } },
      'a mode': { headers: { 'x-warder-skip': '1', 'x-skip-auth': 'true', 'x-internal': '1' } },
    }),
  },
  {
    id: 'O17',
    ...called,
    expect: ['deny'],
    tries: flawed([{ do: 'call', params: { name: 'delete_all' } }], {
      'a mode for a tool that is never allowed': {
        headers: { 'x-warder-skip': '1', 'x-scope': 'notes:write' },
      },
    }),
  },
]
