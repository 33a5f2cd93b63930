import { flawed, type Row, type Step } from '../row.ts'

const needs = ['resource server', 'upstream'] as const
const good: readonly Step[] = [{ do: 'call' }]
const door = { needs, good, twin: '200' } as const
const mismatch = { ...door, expect: ['HM'] } as const

const lines = (extra: readonly string[] = [], start = 'POST {path} HTTP/1.1'): readonly string[] => [
  start,
  'Host: {host}',
  'Authorization: Bearer {bearer}',
  'Content-Type: application/json',
  'Accept: application/json, text/event-stream',
  'Content-Length: {length}',
  'MCP-Protocol-Version: 2026-07-28',
  'Mcp-Method: tools/call',
  'Mcp-Name: read_note',
  ...extra,
]
const rawGood: readonly Step[] = [{ do: 'raw', lines: lines(['Connection: close']) }]
const raw = { needs, good: rawGood, twin: '200' } as const
const encoded = (text: string): string => `=?base64?${Buffer.from(text).toString('base64')}?=`

/** Group L: the HTTP door of a server or gateway. */
export const doorRows: readonly Row[] = [
  {
    id: 'L01',
    ...mismatch,
    tries: flawed(good, {
      'another tool in Mcp-Name': { headers: { 'mcp-name': 'write_note' } },
      'no Mcp-Name': { headers: { 'mcp-name': null } },
      'an empty Mcp-Name': { headers: { 'mcp-name': '' } },
      'another case': { headers: { 'mcp-name': 'Read_note' } },
    }),
  },
  {
    id: 'L02',
    ...mismatch,
    tries: flawed(good, {
      'another method': { headers: { 'mcp-method': 'tools/list' } },
      'no Mcp-Method': { headers: { 'mcp-method': null } },
    }),
  },
  {
    id: 'L03',
    ...mismatch,
    tries: flawed(good, { 'another version': { headers: { 'mcp-protocol-version': '2025-11-25' } } }),
  },
  {
    id: 'L05',
    ...mismatch,
    tries: flawed(good, {
      'Mcp-Name twice': { headers: { 'mcp-name': ['read_note', 'write_note'] } },
      'Mcp-Name twice the same': { headers: { 'mcp-name': ['read_note', 'read_note'] } },
      'Mcp-Name joined': { headers: { 'mcp-name': 'read_note, read_note' } },
      'Mcp-Method twice': { headers: { 'mcp-method': ['tools/call', 'tools/call'] } },
    }),
  },
  {
    id: 'L06',
    ...mismatch,
    tries: [
      encoded('write_note'),
      encoded(encoded('read_note')),
      encoded('read_note').replace('base64', 'BASE64'),
      encoded('read_note').replace(/\?=$/, '=?='),
      encoded('read_note\r\nx: y'),
      '=?base64?!?=',
    ].map((name) => ({ what: name, steps: [{ do: 'call', headers: { 'mcp-name': name } }] })),
  },
  {
    id: 'L06',
    ...door,
    expect: ['200'],
    reachesUpstream: true,
    tries: [
      { what: 'the right one', steps: [{ do: 'call', headers: { 'mcp-name': encoded('read_note') } }] },
    ],
  },
  {
    id: 'L07',
    ...mismatch,
    needs: [...needs, 'policy'],
    tries: ['=?base64?!?=', '\u00e9'].map((value) => ({
      what: `Mcp-Param-Region: ${value}`,
      steps: [{ do: 'call', headers: { 'mcp-param-region': value } }],
    })),
  },
  {
    id: 'L08',
    ...door,
    good: [{ do: 'call', older: true, headers: { 'mcp-protocol-version': '2025-11-25' } }],
    needs: [...needs, 'policy'],
    expect: ['HM'],
    tries: [null, '2025-11-25', '2025-03-26'].flatMap((version) =>
      [{ 'mcp-name': 'write_note' }, { 'mcp-method': 'tools/list' }].map((header) => ({
        what: `version ${version} and ${Object.keys(header)}`,
        steps: [
          { do: 'call', older: true, headers: { 'mcp-protocol-version': version, ...header } } as const,
        ],
      })),
    ),
  },
  {
    id: 'L09',
    ...door,
    expect: ['400 -32022'],
    tries: ['1900-01-01', '2026-07-29', 'latest', '2026-07-28, 2025-11-25'].map((version) => ({
      what: version,
      steps: [
        { do: 'call', older: true, rpc: 'tools/list', headers: { 'mcp-protocol-version': version } } as const,
      ],
    })),
  },
  {
    id: 'L10',
    ...raw,
    expect: ['400'],
    tries: [
      'Mcp-Name : read_note',
      'X: a\r\n folded',
      'X: a\0b',
      'X(y): z',
      'Mcp-N\u00e4me: x',
      'X\ty: z',
    ].map((line) => ({
      what: JSON.stringify(line),
      steps: [{ do: 'raw', lines: lines([line, 'Connection: close']) } as const],
    })),
  },
  {
    id: 'L10',
    ...raw,
    expect: ['400'],
    tries: [
      {
        what: 'Mcp_Name instead of Mcp-Name',
        steps: [
          {
            do: 'raw',
            lines: lines(['Mcp_Name: read_note', 'Connection: close']).filter(
              (line) => !line.startsWith('Mcp-Name'),
            ),
          },
        ],
      },
    ],
  },
  {
    id: 'L11',
    ...door,
    expect: ['415', '400'],
    tries: [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/json-patch+json',
      'APPLICATION/JSON; charset=utf-16',
      null,
    ].map((type) => ({
      what: `type ${type}`,
      steps: [{ do: 'call', headers: { 'content-type': type } } as const],
    })),
  },
  {
    id: 'L13',
    ...door,
    needs: [...needs, 'policy'],
    expect: ['403'],
    tries: [
      'https://evil.example',
      'null',
      'http://localhost.evil.example',
      'http://localhost:1',
      'HTTPS://EVIL.EXAMPLE',
    ].map((origin) => ({ what: `Origin ${origin}`, steps: [{ do: 'call', headers: { origin } } as const] })),
  },
  {
    id: 'L14',
    ...door,
    expect: ['403', '421'],
    tries: ['evil.example', 'evil.example:8080', '127.0.0.1.evil.example', 'localhost.', '0x7f000001'].map(
      (host) => ({
        what: `Host ${host}`,
        steps: [{ do: 'call', headers: { host } } as const],
      }),
    ),
  },
  {
    id: 'L14',
    ...raw,
    expect: ['400', '403', '421'],
    tries: [
      {
        what: 'two Hosts',
        steps: [{ do: 'raw', lines: lines(['Host: evil.example', 'Connection: close']) }],
      },
    ],
  },
  {
    id: 'L15',
    ...door,
    expect: ['no CORS'],
    tries: [
      {
        what: 'a preflight of another origin',
        steps: [
          {
            do: 'request',
            method: 'OPTIONS',
            url: '{endpoint}',
            headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
          },
        ],
      },
    ],
  },
  {
    id: 'L17',
    ...raw,
    isChoice: true,
    expect: ['400', '426', 'closed', '505'],
    tries: [
      {
        what: 'the preface of HTTP/2',
        steps: [{ do: 'raw', lines: ['PRI * HTTP/2.0', '', 'SM'], body: '' }],
      },
      {
        what: 'an upgrade to h2c',
        steps: [
          {
            do: 'raw',
            lines: lines(['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABk']),
          },
        ],
      },
    ],
  },
  {
    id: 'L18',
    ...raw,
    expect: ['404', '400', '421', '401'],
    tries: [
      '/{path}',
      '/.{path}',
      '{path}/',
      '{path}/..;/admin',
      '/notes%2fmcp',
      '/notes/%6dcp',
      '{path};x',
      '/Notes/mcp',
      '{path}.',
      '\\notes\\mcp',
      '{path}%00',
      'http://{host}{path}',
      'http://evil.example{path}',
    ].map((target) => ({
      what: target,
      steps: [{ do: 'raw', lines: lines(['Connection: close'], `POST ${target} HTTP/1.1`) } as const],
    })),
  },
  {
    id: 'L19',
    ...door,
    expect: ['RS401'],
    tries: [
      {
        what: 'forwarded headers instead of a token',
        steps: [
          {
            do: 'call',
            token: null,
            headers: {
              'x-forwarded-for': '127.0.0.1',
              'x-forwarded-host': 'evil.example',
              'x-forwarded-uri': '/healthz',
              'x-original-url': '/healthz',
              'x-rewrite-url': '/healthz',
              'x-forwarded-user': 'alice',
              forwarded: 'for=127.0.0.1;host=evil.example',
            },
            hides: ['evil.example'],
          },
        ],
      },
    ],
  },
  {
    id: 'L21',
    ...raw,
    isChoice: true,
    expect: ['417', '426'],
    tries: [
      {
        what: 'Expect: something',
        steps: [{ do: 'raw', lines: lines(['Expect: something', 'Connection: close']) }],
      },
      {
        what: 'Expect: 100-continue',
        steps: [{ do: 'raw', lines: lines(['Expect: 100-continue', 'Connection: close']) }],
      },
      {
        what: 'Upgrade: websocket',
        steps: [{ do: 'raw', lines: lines(['Upgrade: websocket', 'Connection: Upgrade']) }],
      },
    ],
  },
  {
    id: 'L22',
    ...raw,
    expect: ['401'],
    tries: [
      {
        what: 'the token in a trailer',
        steps: [
          {
            do: 'raw',
            lines: [
              ...lines(['Transfer-Encoding: chunked', 'Trailer: Authorization', 'Connection: close']).filter(
                (line) => !/^(Authorization|Content-Length)/.test(line),
              ),
            ],
            body: '2\r\n{}\r\n0\r\nAuthorization: Bearer {bearer}\r\n\r\n',
          },
        ],
      },
    ],
  },
  {
    id: 'L23',
    ...raw,
    expect: ['400'],
    tries: [
      {
        what: 'Connection names what is compared',
        steps: [
          {
            do: 'raw',
            lines: lines(['Connection: close, Authorization, Mcp-Name, Mcp-Method']).map((line) =>
              line.startsWith('Mcp-Name') ? 'Mcp-Name: write_note' : line,
            ),
          },
        ],
      },
    ],
  },
  {
    id: 'L25',
    ...door,
    expect: ['413'],
    tries: [
      { what: '5 MB', steps: [{ do: 'call', params: { arguments: { text: 'x'.repeat(5_000_000) } } }] },
    ],
  },
  {
    id: 'L27',
    ...door,
    expect: ['415', '413'],
    tries: ['gzip', 'br', 'gzip, gzip', 'identity, gzip', 'unknown'].map((encoding) => ({
      what: `Content-Encoding ${encoding}`,
      steps: [{ do: 'call', headers: { 'content-encoding': encoding } } as const],
    })),
  },
  {
    id: 'L29',
    ...door,
    expect: ['400', '413'],
    tries: flawed(good, {
      '100,000 deep': { edit: ['"x"', `${'['.repeat(100_000)}${']'.repeat(100_000)}`] },
      '300,000 members': {
        edit: ['"x"', `{${Array.from({ length: 300_000 }, (_, at) => `"${at}":0`).join(',')}}`],
      },
    }),
  },
  {
    id: 'L30',
    ...raw,
    expect: ['200, 401'],
    reachesUpstream: true,
    tries: [
      {
        what: 'a second request on the connection, without a token',
        steps: [
          {
            do: 'raw',
            lines: lines(),
            body: '{message}POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
          },
        ],
      },
    ],
  },
  {
    id: 'L31',
    ...raw,
    isChoice: true,
    expect: ['431', '414', '400'],
    tries: [
      {
        what: '200 headers',
        steps: [
          {
            do: 'raw',
            lines: lines([...Array.from({ length: 200 }, (_, at) => `X-${at}: 1`), 'Connection: close']),
          },
        ],
      },
      { what: 'a header of 64 KB', steps: [{ do: 'raw', lines: lines([`X: ${'x'.repeat(65_536)}`]) }] },
      {
        what: 'a path of 8,000 characters',
        steps: [
          { do: 'raw', lines: lines(['Connection: close'], `POST {path}?${'x'.repeat(8_000)} HTTP/1.1`) },
        ],
      },
    ],
  },
]
