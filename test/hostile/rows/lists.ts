import type { Answer, Row, Step, Try } from '../row.ts'

const needs = ['resource server', 'upstream', 'policy'] as const
const list: Step = { do: 'call', rpc: 'tools/list' }
const good: readonly Step[] = [list]
const hidden = ['delete_all', 'new_tool']
const listed = { needs, good, twin: '200', reachesUpstream: true } as const

const tool = (name: string): string => `{"name":"${name}","inputSchema":{"type":"object"}}`
const tools = `[${['read_note', ...hidden].map(tool).join(',')}]`
const result = `{"jsonrpc":"2.0","id":{id},"result":{"resultType":"complete","ttlMs":0,"cacheScope":"private","tools":${tools}}}`
const asked = (answer: Answer, step: Step = list): readonly Step[] => [
  { do: 'upstream answers', answer },
  { ...step, hides: hidden },
]
const answers = (all: Readonly<Record<string, Answer>>): Try[] =>
  Object.entries(all).map(([what, answer]) => ({ what, steps: asked(answer) }))
const event = (data: string): Answer => ({ events: [data] })

/** Group N: lists, streams, sessions, and what comes back from a hostile upstream; of group R, what a list shows. */
export const listRows: readonly Row[] = [
  {
    id: 'R03',
    ...listed,
    expect: ['200'],
    tries: [{ what: 'a tool that no line names is not listed', steps: [{ ...list, hides: ['new_tool'] }] }],
  },
  {
    id: 'N01',
    ...listed,
    expect: ['200'],
    tries: [{ what: 'what is denied is not listed', steps: [{ ...list, hides: hidden }] }],
  },
  {
    id: 'N01',
    needs,
    good,
    twin: '200',
    expect: ['200 -32602', '400 -32602'],
    tries: ['2', '', 'x'.repeat(38), 2, null, ['x']].map((cursor) => ({
      what: `cursor ${JSON.stringify(cursor)}`,
      steps: [{ ...list, params: { cursor } }],
    })),
  },
  {
    id: 'N01',
    ...listed,
    expect: ['200 -32602'],
    tries: [
      {
        what: 'the cursor of another user',
        steps: [
          { do: 'upstream answers', answer: { body: result.replace('"tools"', '"nextCursor":"2","tools"') } },
          list,
          { ...list, params: { cursor: '{cursor}' }, token: { claims: { sub: 'bob' } } },
        ],
      },
    ],
  },
  {
    id: 'N02',
    ...listed,
    expect: ['200', '502'],
    tries: answers({
      'as it should be': { body: result },
      'a byte order mark': { body: `\ufeff${result}` },
      'events that split a message': event(`data: ${result.slice(0, 60)}\ndata: ${result.slice(60)}\n\n`),
      'line ends of all kinds': event(`event: message\r\ndata: ${result}\r\rdata: ${result}\n\n`),
      'two messages in one event': event(`data: ${result}\ndata: ${result}\n\n`),
      'an event without an end': event(`data: ${result}`),
      'a byte order mark before an event': event(`\ufeffdata: ${result}\n\n`),
      'a result and an error': {
        body: result.replace('"result"', '"error":{"code":1,"message":"x"},"result"'),
      },
      'the result of another id': { body: result.replace('{id}', '77') },
      'a result twice': { body: result.replace('"result"', '"result":{},"result"') },
      'a batch': { body: `[${result}]` },
      'text/plain': { headers: { 'content-type': 'text/plain' }, body: result },
      'no type': { headers: { 'content-type': '' }, body: result },
      'called gzip': { headers: { 'content-encoding': 'gzip' }, body: result },
      'half a message': { body: result.slice(0, -3) },
      'junk between events': event(`data: {"x\n\ndata: ${result}\n\n`),
      'tools in another case': { body: result.replace('"tools"', '"Tools"') },
      'tools under another member': { body: result.replace('"tools"', '"x":{},"more"') },
      'an error status': { status: 500, body: result },
    }),
  },
  {
    id: 'N03',
    ...listed,
    expect: ['200', '502', '200 -32603', '200 -32602', '200 -32000', 'tool error'],
    tries: [
      {
        what: 'discovery names tools',
        steps: asked(
          {
            body: `{"jsonrpc":"2.0","id":{id},"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"instructions":"Use delete_all and new_tool"}}`,
          },
          { do: 'call', rpc: 'server/discover' },
        ),
      },
      {
        what: 'an error says what else there is',
        steps: asked({
          body: '{"jsonrpc":"2.0","id":{id},"error":{"code":-32602,"message":"did you mean delete_all?"}}',
        }),
      },
      {
        what: 'a notification before the list',
        steps: asked(
          event(
            `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"delete_all"}}\n\ndata: ${result}\n\n`,
          ),
        ),
      },
    ],
  },
  {
    id: 'N05',
    ...listed,
    expect: ['200'],
    tries: [
      {
        what: 'a list that the upstream calls public',
        steps: [
          {
            do: 'upstream answers',
            answer: {
              headers: { 'cache-control': 'public, max-age=3600' },
              body: result.replace('"private"', '"public"'),
            },
          },
          { ...list, hides: ['"public"', 'max-age=3600'] },
        ],
      },
    ],
  },
  {
    id: 'N09',
    needs: [...needs, 'sessions'],
    good: [
      {
        do: 'call',
        older: true,
        rpc: 'initialize',
        params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } },
      },
    ],
    twin: '200',
    expect: ['404'],
    tries: ['guessed', 'x'.repeat(200), '../../etc'].map((id) => ({
      what: `session ${id.slice(0, 20)}`,
      steps: [
        {
          do: 'call',
          older: true,
          headers: { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' },
        } as const,
      ],
    })),
  },
  {
    id: 'N11',
    ...listed,
    // A stream may open, but nothing of the other one is replayed.
    expect: ['404', '405', '400', '200', '202'],
    tries: [
      {
        what: 'an event of somebody else',
        steps: [
          {
            do: 'upstream answers',
            answer: {
              ifHeader: 'last-event-id',
              events: ['id: 8\ndata: {"jsonrpc":"2.0","method":"canary"}\n\n'],
            },
          },
          {
            hides: ['canary'],
            do: 'call',
            method: 'GET',
            headers: {
              'last-event-id': '7',
              accept: 'text/event-stream',
              'mcp-protocol-version': '2025-11-25',
              'content-type': null,
              'mcp-method': null,
              'mcp-name': null,
            },
          },
        ],
      },
    ],
  },
  {
    id: 'N14',
    ...listed,
    expect: ['200'],
    tries: [
      {
        what: 'a session id with 2026-07-28',
        steps: [
          {
            ...list,
            headers: { 'mcp-session-id': 'x', 'last-event-id': '7' },
            hides: ['Mcp-Session-Id', 'mcp-session-id'],
          },
        ],
      },
    ],
  },
  {
    id: 'N17',
    ...listed,
    expect: ['200'],
    tries: [
      ['set-cookie', 'canary=1'],
      ['www-authenticate', 'Bearer resource_metadata="https://canary.example"'],
      ['location', 'https://canary.example'],
      ['access-control-allow-origin', 'https://canary.example'],
      ['strict-transport-security', 'max-age=31536000'],
    ].map(([name = '', value = '']) => ({
      what: name,
      steps: [
        { do: 'upstream answers', answer: { headers: { [name]: value }, body: result } },
        { ...list, hides: ['canary', 'max-age=31536000'] },
      ],
    })),
  },
  {
    id: 'N18',
    ...listed,
    expect: ['502'],
    tries: [401, 403, 407].map((status) => ({
      what: `status ${status}`,
      steps: [
        {
          do: 'upstream answers',
          answer: {
            status,
            headers: { 'www-authenticate': 'Bearer resource_metadata="https://canary.example/prm"' },
            body: '{}',
          },
        },
        { ...list, hides: ['canary'] },
      ],
    })),
  },
  {
    id: 'N21',
    ...listed,
    expect: ['200', '502'],
    tries: [
      {
        what: 'a message inside a text',
        steps: asked(
          event(
            `data: {"jsonrpc":"2.0","id":{id},"result":{"resultType":"complete","content":[{"type":"text","text":"a\\n\\ndata: {\\"x\\":1}\\n\\n"}]}}\n\n`,
          ),
          { do: 'call' },
        ),
      },
    ],
  },
]
