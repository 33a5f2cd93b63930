import { flawed, type Row, type Step } from '../row.ts'

const needs = ['authorization server', 'registration', 'pages'] as const
const start: readonly Step[] = [{ do: 'open' }, { do: 'log in' }]
const good: readonly Step[] = [...start, { do: 'decide' }]
const consent = { needs, good, twin: 'code' } as const

/** Group F, as far as plain HTTP goes: what a browser must do stands in `test/browser`. */
export const pageRows: readonly Row[] = [
  {
    id: 'F01',
    ...consent,
    expect: ['page 403'],
    tries: flawed(good, {
      'no form token': { with: { form_token: null } },
      'an empty form token': { with: { form_token: '' } },
      'a form token of nobody': { with: { form_token: 'x'.repeat(43) } },
    }),
  },
  {
    id: 'F02',
    ...consent,
    expect: ['page 403'],
    tries: flawed(good, {
      'Origin of another site': { headers: { origin: 'https://evil.example' } },
      'Origin null': { headers: { origin: 'null' } },
      'no Origin, and a browser that says cross-site': {
        headers: { origin: null, 'sec-fetch-site': 'cross-site' },
      },
    }),
  },
  {
    id: 'F05',
    ...consent,
    expect: ['code'],
    tries: ['//evil.example', '/\\evil.example', 'https:evil.example', '%2f%2fevil.example'].map((place) => ({
      what: `return_to ${place}`,
      steps: [
        { do: 'open', append: `&return_to=${place}&next=${place}` },
        { do: 'log in', with: { return_to: place, next: place } },
        { do: 'decide', with: { return_to: place }, hides: ['evil.example'] },
      ],
    })),
  },
  {
    id: 'F08',
    ...consent,
    expect: ['page 403', 'page 400'],
    tries: [
      { what: 'consent from another browser', steps: [...start, { do: 'decide', other: true }] },
      { what: 'the login from another browser', steps: [{ do: 'open' }, { do: 'log in', other: true }] },
    ],
  },
  {
    id: 'F10',
    ...consent,
    expect: ['code'],
    tries: [
      {
        what: 'other client, redirect URI, resource and scope in the form',
        steps: [
          ...start,
          {
            do: 'decide',
            with: {
              client_id: 'x',
              redirect_uri: 'https://evil.example/cb',
              resource: 'https://evil.example/mcp',
              state: 'evil',
            },
            hides: ['evil'],
          },
        ],
      },
    ],
  },
  {
    id: 'F13',
    ...consent,
    expect: ['page 400', 'page 403'],
    tries: [{ what: 'the consent again', steps: [...good, { do: 'decide' }] }],
  },
  {
    id: 'F14',
    ...consent,
    expect: ['redirect access_denied'],
    tries: flawed(good, { deny: { with: { decision: 'deny' } } }),
  },
  {
    id: 'F22',
    ...consent,
    expect: ['page 400'],
    tries: [
      {
        what: 'a link to a redirect URI that is not trusted',
        steps: [
          {
            do: 'authorize',
            with: { redirect_uri: 'https://evil.example/cb' },
            hides: ['href="https://evil', 'url=https://evil', "location = 'https://evil"],
          },
        ],
      },
    ],
  },
  {
    id: 'F30',
    ...consent,
    expect: ['404', '400'],
    tries: [
      '/assets/..%2f..%2fetc/passwd',
      '/assets/%252e%252e/%252e%252e/etc/passwd',
      '/authorize/..%2f..%2fetc',
    ].map((path) => ({ what: path, steps: [{ do: 'request', url: `{issuer}${path}`, hides: ['root:'] }] })),
  },
]
