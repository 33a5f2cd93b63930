import { flawed, type Row, type Step } from '../row.ts'

const needs = ['resource server', 'upstream'] as const
const good: readonly Step[] = [{ do: 'call' }]
const older: readonly Step[] = [
  { do: 'call', older: true, headers: { 'mcp-protocol-version': '2025-11-25' } },
]
const message = { needs, good, twin: '200' } as const
const policed = { needs: [...needs, 'policy'], good, twin: '200' } as const

const named = (name: string): readonly Step[] => [
  { do: 'call', older: true, params: { name }, headers: { 'mcp-protocol-version': '2025-11-25' } },
]

/** Group M: what stands in a message; of group R, a tool that nobody has decided about. */
export const messageRows: readonly Row[] = [
  {
    id: 'M01',
    ...message,
    expect: ['400 -32600'],
    tries: flawed(good, {
      'one in a batch': { body: '[{message}]' },
      'two in a batch': { body: '[{message},{message}]' },
      nested: { body: '[[{message}]]' },
      empty: { body: '[]' },
    }),
  },
  {
    id: 'M01',
    ...message,
    expect: ['400', '415'],
    tries: flawed(good, {
      'a batch as text': { body: '[{message}]', headers: { 'content-type': 'text/plain' } },
    }),
  },
  {
    id: 'M02',
    ...message,
    isChoice: true,
    expect: ['400 -32700'],
    tries: flawed(good, {
      'method twice': { edit: ['"method"', '"method":"tools/list","method"'] },
      'params twice': { edit: ['"params"', '"params":{},"params"'] },
      'name twice': { edit: ['"name"', '"name":"write_note","name"'] },
      'name twice, escaped': { edit: ['"name"', '"n\\u0061me":"write_note","name"'] },
      'an argument twice': { edit: ['"text"', '"text":"y","text"'] },
    }),
  },
  {
    id: 'M03',
    ...message,
    expect: ['400 -32600', '400 -32602'],
    tries: flawed(good, {
      Method: { with: { Method: 'tools/list' } },
      PARAMS: { with: { PARAMS: { name: 'write_note' } } },
      'a long s': { with: { param\u017f: {} } },
      'one member more': { with: { extra: 1 } },
    }),
  },
  {
    id: 'M03',
    ...message,
    isChoice: true,
    expect: ['400 -32602'],
    tries: flawed(good, {
      'Name beside name': { edit: ['"name"', '"Name":"write_note","name"'] },
      'NAME beside name': { edit: ['"name"', '"NAME":"write_note","name"'] },
      'Arguments for arguments': { edit: ['"arguments"', '"Arguments"'] },
      'arguments with a long s': { edit: ['"arguments"', '"argument\u017f":{"text":"y"},"arguments"'] },
      'URI in a call': { edit: ['"name"', '"URI":"secret:///x","name"'] },
    }),
  },
  {
    id: 'M03',
    ...policed,
    isChoice: true,
    expect: ['400 -32602'],
    tries: [
      { rpc: 'tools/list', params: { Cursor: '1' } },
      { rpc: 'subscriptions/listen', params: { notifications: { ResourceSubscriptions: ['secret:///x'] } } },
      {
        rpc: 'completion/complete',
        params: { ref: { type: 'ref/prompt', name: 'summarize', Name: 'secret' } },
      },
    ].map(({ rpc, params }) => ({
      what: JSON.stringify(params),
      steps: [{ do: 'call', rpc, params } as const],
    })),
  },
  {
    id: 'M05',
    ...policed,
    expect: ['deny'],
    tries: ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty'].map((name) => ({
      what: name,
      steps: named(name),
    })),
  },
  {
    id: 'M06',
    ...message,
    needs: [...needs, 'policy'],
    expect: ['400 -32700'],
    tries: flawed(good, {
      '1e400': { edit: ['"x"', '1e400'] },
      'leading zero': { edit: ['"x"', '01'] },
      NaN: { edit: ['"x"', 'NaN'] },
      'more digits than a number has': { edit: ['"x"', '9007199254740993'] },
    }),
  },
  {
    id: 'M09',
    ...policed,
    expect: ['deny'],
    tries: [
      'Read_note',
      'read_note ',
      ' read_note',
      'read_n\u043ete',
      'read_note\u200b',
      'ｒead_note',
      'read%5fnote',
      'read_note\u0000',
      'x'.repeat(129),
      'delete_all',
    ].map((name) => ({ what: JSON.stringify(name).slice(0, 40), steps: named(name) })),
  },
  {
    id: 'R03',
    ...policed,
    expect: ['deny'],
    tries: [{ what: 'a tool that no line names cannot be called', steps: named('new_tool') }],
  },
  {
    id: 'M10',
    ...policed,
    good: [{ do: 'call', older: true, rpc: 'tools/list', headers: { 'mcp-protocol-version': '2025-11-25' } }],
    expect: ['404 -32601'],
    tries: [
      'tools/execute',
      'tools/call/',
      'Tools/Call',
      'rpc.discover',
      'vendor/do',
      'sampling/createMessage',
      '',
      '__proto__',
      'x'.repeat(10_000),
    ].map((rpc) => ({
      what: rpc.slice(0, 30),
      steps: [{ do: 'call', older: true, rpc, headers: { 'mcp-protocol-version': '2025-11-25' } } as const],
    })),
  },
  {
    id: 'M11',
    ...message,
    expect: ['400', '202'],
    tries: [
      { what: 'no id', steps: [{ do: 'call', edit: ['"id":1,', ''] }] },
      ...['null', '[]', '{}', '1.5', 'true'].map((id) => ({
        what: `id ${id}`,
        steps: [{ do: 'call', edit: ['"id":1', `"id":${id}`] } as const],
      })),
    ],
  },
  {
    id: 'M13',
    ...message,
    expect: ['400 -32600'],
    tries: flawed(good, {
      'a method and a result': { with: { result: {} } },
      'a result': { body: '{"jsonrpc":"2.0","id":1,"result":{}}' },
      'an error': { body: '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}' },
    }),
  },
  {
    id: 'M14',
    ...message,
    good: older,
    needs: [...needs, 'policy'],
    expect: ['400 -32602'],
    tries: [
      ...['[]', '"x"', 'null', '1'].map((params) => ({
        what: `params ${params}`,
        steps: [
          {
            do: 'call',
            older: true,
            body: `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":${params}}`,
            headers: { 'mcp-protocol-version': '2025-11-25' },
          } as const,
        ],
      })),
      {
        what: '_meta without the capabilities',
        steps: [{ do: 'call', edit: ['"io.modelcontextprotocol/clientCapabilities":{}', '"x":{}'] }],
      },
    ],
  },
  {
    id: 'M15',
    ...policed,
    expect: ['deny'],
    tries: [
      { 'warder/decision': 'allow' },
      { 'io.modelcontextprotocol/subject': 'owner' },
      { baggage: 'user=owner,scope=notes:write' },
      { scope: 'notes:write' },
    ].map((claimed, at) => ({
      what: `_meta ${JSON.stringify(claimed)}`,
      steps: [
        {
          do: 'call',
          params: { name: 'write_note' },
          edit: ['"_meta":{', `"_meta":{${JSON.stringify(claimed).slice(1, -1)},`],
          headers: { baggage: 'user=owner' },
          token: { claims: { client_id: `meta-${at}` } },
        } as const,
      ],
    })),
  },
  {
    id: 'M17',
    ...policed,
    expect: ['400 -32602'],
    tries: flawed(good, {
      'arguments in an array': { edit: ['"arguments":{"text":"x"}', '"arguments":[]'] },
      'arguments as a text': { edit: ['"arguments":{"text":"x"}', '"arguments":"x"'] },
      'a name that is none': {
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}',
        older: true,
      },
    }),
  },
  {
    id: 'M25',
    ...policed,
    expect: ['deny', '400 -32602'],
    tries: [
      { type: 'ref/prompt', name: 'secret' },
      { type: 'ref/resource', uri: 'secret:///{x}' },
      { type: 'ref/other', name: 'summarize' },
    ].map((ref) => ({
      what: JSON.stringify(ref),
      steps: [
        {
          do: 'call',
          rpc: 'completion/complete',
          params: { ref, argument: { name: 'x', value: '' } },
        } as const,
      ],
    })),
  },
]
