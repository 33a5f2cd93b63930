import type { Answer, Row, Step, Try } from '../row.ts'

const needs = ['authorization server', 'client documents'] as const
const url = '{documents}/{n}.json'
const document = {
  client_id: url,
  client_name: 'Documented',
  redirect_uris: ['http://127.0.0.1:7777/callback'],
  token_endpoint_auth_method: 'none',
}
const ask: Step = { do: 'authorize', with: { client_id: url } }
const serve = (answer: Answer): Step => ({ do: 'serve document', url: '/{n}.json', answer })
const good: readonly Step[] = [serve({ body: document }), ask]
const documented = { needs, good, twin: 'sign in', expect: ['page 400'] } as const

/** The same client on two devices: each has a grant of its own. */
const device: readonly Step[] = [
  { do: 'sign in', with: { client_id: url } },
  { do: 'redeem', with: { client_id: url } },
]
const renew: Step = { do: 'refresh', with: { client_id: url } }

/** Client ids that are refused before anything is fetched. */
const named = (ids: readonly string[]): Try[] =>
  ids.map((id) => ({ what: id.slice(0, 80), steps: [{ do: 'authorize', with: { client_id: id } }] }))
const served = (answers: Readonly<Record<string, Answer>>): Try[] =>
  Object.entries(answers).map(([what, answer]) => ({ what, steps: [serve(answer), ask] }))
const text = JSON.stringify(document)

/** Addresses that are none of the public Internet; each stands for one range. */
const innerAddresses = [
  ['0.0.0.0', '10.0.0.1', '100.64.0.1', '127.0.0.1', '127.255.255.254', '169.254.169.254', '172.16.0.1'],
  ['172.31.255.255', '192.0.0.192', '192.168.1.1', '198.18.0.1', '224.0.0.1', '240.0.0.1', '255.255.255.255'],
].flat()
const innerIPv6 = [
  ['::', '::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'fec0::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1'],
  ['64:ff9b:1::7f00:1', '2002:7f00:1::1', '2001::1', '2606:4700::5efe:7f00:1'],
].flat()

/** Group E: client id metadata documents, and the fetch for them. */
export const documentRows: readonly Row[] = [
  {
    id: 'E01',
    ...documented,
    fetches: 0,
    tries: named(['http://app.example/client.json', 'ftp://app.example/x']),
  },
  {
    id: 'E02',
    ...documented,
    fetches: 0,
    tries: named(['https://app.example', 'https://app.example/', '{documents}']),
  },
  {
    id: 'E03',
    ...documented,
    fetches: 0,
    tries: named([
      '{documents}/a/../{n}.json',
      '{documents}/./{n}.json',
      '{documents}/%2e%2e/{n}.json',
      '{documents}/{n}.json#x',
      'https://user@app.example/x',
      'https://app.example/\tx',
      'https://app.example\\x',
    ]),
  },
  {
    id: 'E05',
    ...documented,
    fetches: 1,
    tries: served({
      ...Object.fromEntries(
        [301, 302, 303, 307, 308].map((status) => [
          `status ${status}`,
          { status, headers: { location: '{documents}/elsewhere.json' }, body: document },
        ]),
      ),
      'a Refresh header': { headers: { refresh: '0; url=/elsewhere.json' }, body: document },
    }),
  },
  {
    id: 'E06',
    ...documented,
    tries: served(
      Object.fromEntries(
        [201, 204, 206, 304, 404, 500].map((status) => [`status ${status}`, { status, body: document }]),
      ),
    ),
  },
  {
    id: 'E07',
    ...documented,
    tries: served({
      'over 5 KB': { body: { ...document, x: 'x'.repeat(6_000) } },
      '10 MB': { body: `"${'x'.repeat(10_000_000)}"` },
      'called gzip': { headers: { 'content-encoding': 'gzip' }, body: document },
    }),
  },
  {
    id: 'E09',
    ...documented,
    tries: served({
      'text/html': { headers: { 'content-type': 'text/html' }, body: document },
      'text/plain': { headers: { 'content-type': 'text/plain' }, body: document },
      'an array': { body: [document] },
      'no UTF-8': { body: text.replace('Documented', '\xff\xfe') },
      'a byte order mark': { body: `\xef\xbb\xbf${text}` },
      'a key twice': { body: text.replace('"client_name"', '"client_name":"x","client_name"') },
      'another client_id': { body: { ...document, client_id: 'https://app.example/other.json' } },
      'no name': { body: { ...document, client_name: undefined } },
    }),
  },
  {
    id: 'E10',
    ...documented,
    needs: [...needs, 'hostile names'],
    fetches: 0,
    tries: named([
      ...innerAddresses.map(
        (address) => `https://a-${address.replaceAll('.', '-')}.name.example:{documents.port}/c.json`,
      ),
      ...innerIPv6.map(
        (address) => `https://a-v6.${address.replaceAll(':', '_')}.name.example:{documents.port}/c.json`,
      ),
    ]),
  },
  {
    id: 'E11',
    ...documented,
    fetches: 0,
    tries: named(
      [
        '127.0.0.1',
        '2130706433',
        '0x7f000001',
        '017700000001',
        '127.1',
        '0x7f.1',
        '[::1]',
        '[::ffff:7f00:1]',
        '[fe80::1%25lo]',
      ].map((host) => `https://${host}:{documents.port}/client.json`),
    ),
  },
  {
    id: 'E12',
    ...documented,
    needs: [...needs, 'hostile names'],
    fetches: 0,
    tries: named(['https://rebind-{n}.name.example:{documents.port}/client.json']),
  },
  {
    id: 'E13',
    ...documented,
    needs: [...needs, 'hostile names'],
    fetches: 0,
    tries: named([
      'https://a-8-8-8-8.and.a-127-0-0-1.name.example:{documents.port}/client.json',
      'https://a-127-0-0-1.and.a-8-8-8-8.name.example:{documents.port}/client.json',
    ]),
  },
  {
    id: 'E14',
    ...documented,
    fetches: 0,
    tries: named([
      'https://localhost/client.json',
      'https://localhost.:{documents.port}/client.json',
      'https://metadata.google.internal/client.json',
      'https://printer.local/client.json',
      'https://intranet/client.json',
    ]),
  },
  {
    id: 'E17',
    ...documented,
    fetches: 0,
    tries: named(
      [22, 25, 6379, 5432, 2375].map((port) => `https://a-8-8-8-8.name.example:${port}/client.json`),
    ),
  },
  {
    id: 'E18',
    ...documented,
    tries: served({
      client_secret: { body: { ...document, client_secret: 'x' } },
      client_secret_expires_at: { body: { ...document, client_secret_expires_at: 0 } },
      client_secret_post: { body: { ...document, token_endpoint_auth_method: 'client_secret_post' } },
      client_secret_basic: { body: { ...document, token_endpoint_auth_method: 'client_secret_basic' } },
    }),
  },
  {
    id: 'E19',
    ...documented,
    fetches: 1,
    expect: ['sign in', 'page 400'],
    tries: served({
      logo_uri: { body: { ...document, logo_uri: '{documents}/logo.png' } },
      jwks_uri: { body: { ...document, jwks_uri: '{documents}/keys' } },
    }),
  },
  {
    id: 'E34',
    needs,
    good: [serve({ body: document }), ...device, renew],
    twin: '200',
    expect: ['200'],
    tries: [
      {
        what: 'one device goes on when another one signs in',
        steps: [
          serve({ body: document }),
          ...device.map((step) => ({ ...step, as: 'first' })),
          ...device,
          { do: 'refresh', with: { client_id: url, refresh_token: '{first.refresh}' } },
        ],
      },
      {
        what: 'a stolen token of one ends its grant alone',
        steps: [
          serve({ body: document }),
          ...device.map((step) => ({ ...step, as: 'first' })),
          ...device,
          { do: 'revoke', with: { client_id: url, token: '{first.refresh}' } },
          renew,
        ],
      },
    ],
  },
  {
    id: 'E33',
    ...documented,
    tries: [
      {
        what: 'markup in a client id that cannot be fetched',
        steps: [
          {
            do: 'authorize',
            with: { client_id: '{documents}/none.json?x=<script>canary</script>' },
            hides: ['<script>canary'],
          },
        ],
      },
    ],
  },
]
