import { describe, expect, test } from 'vitest'
import { makeToolRules, type ToolRules, type UserFetch } from '../src/connect/index.ts'
import {
  type Bridged,
  envelope,
  initializeParams,
  plainFetch,
  session,
  startBridged,
  stateless,
  type Wire,
} from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import {
  type Remote,
  sendJson,
  startRemote,
  startSessionRemote,
  startStatelessRemote,
} from './connect/remote.ts'
import { eventually } from './talk.ts'

const start = (url: string, options: Parameters<typeof startBridged>[1] = {}): Bridged =>
  keep(startBridged(url, options))

class SignInRequired extends Error {
  override readonly name = 'SignInRequired'
  readonly reason = 'nobody is there'
  readonly authorizationUrl = 'https://as.example/authorize?x=1'
}

/** A fetch behind which somebody must sign in first. */
function makeGate(): {
  fetch: UserFetch
  quietFetch: UserFetch
  open(): void
  asked(): number
  refuse(): void
} {
  let state: 'waiting' | 'open' | 'refused' = 'waiting'
  let asked = 0
  const wake: (() => void)[] = []
  const pass = (): void => {
    for (const one of wake.splice(0)) one()
  }
  return {
    asked: () => asked,
    open: () => {
      state = 'open'
      pass()
    },
    refuse: () => {
      state = 'refused'
      pass()
    },
    fetch: async (url, init) => {
      if (state !== 'open') asked += 1
      if (state === 'waiting') await new Promise<void>((resolve) => wake.push(resolve))
      if (state !== 'open') throw new SignInRequired('sign in')
      return plainFetch(url, init as RequestInit)
    },
    quietFetch: async (url, init) => {
      if (state !== 'open') throw new SignInRequired('sign in')
      return plainFetch(url, init as RequestInit)
    },
  }
}

describe('before anybody has signed in', () => {
  test('the greeting is answered at once, lists are empty, and the tools come by themselves', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeGate()
    const bridged = start(remote.url, { ...gate, patience: { listMs: 30 } })
    const hello = await bridged.ask('initialize', initializeParams())
    expect(hello.result).toMatchObject({
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true } },
    })
    expect(hello.result.instructions).toMatch(/sign in/)
    expect((await bridged.ask('tools/list')).result).toEqual({ tools: [] })
    expect((await bridged.ask('prompts/list')).result).toEqual({ prompts: [] })
    expect((await bridged.ask('resources/templates/list')).result).toEqual({ resourceTemplates: [] })
    expect((await bridged.ask('ping')).result).toEqual({})
    expect(remote.seen).toEqual([])
    gate.open()
    for (const name of ['tools', 'prompts', 'resources']) {
      await bridged.wait(({ method }) => method === `notifications/${name}/list_changed`)
    }
    expect((await bridged.ask('tools/list')).result.tools.length).toBeGreaterThan(3)
    expect(gate.asked()).toBe(1)
  })

  test('a call waits for the sign-in and is made then', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeGate()
    const client = await start(remote.url, gate).connect(session())
    const call = client.callTool({ name: 'echo', arguments: { text: 'patient' } })
    await eventually(() => gate.asked()).toBe(1)
    gate.open()
    expect((await call).content).toEqual([{ type: 'text', text: 'patient' }])
  })

  test('a call that has waited long enough says where to sign in', async () => {
    const remote = keep(await startSessionRemote())
    const signInLink = (): string => 'https://as.example/here'
    const bridged = start(remote.url, { ...makeGate(), signInLink, patience: { callMs: 30 } })
    const client = await bridged.connect(session())
    const result = await client.callTool({ name: 'echo', arguments: { text: 'x' } })
    expect(result.isError).toBe(true)
    expect(JSON.stringify(result.content)).toContain('https://as.example/here')
  })

  test('a waiting call can be cancelled, and the sign-in goes on', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeGate()
    const bridged = start(remote.url, gate)
    await bridged.ask('initialize', initializeParams())
    bridged.write({
      jsonrpc: '2.0',
      id: 7,
      method: 'tools/call',
      params: { name: 'echo', arguments: { text: 'x' } },
    })
    bridged.write({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } })
    await bridged.ask('ping')
    gate.open()
    const echo = await bridged.ask('tools/call', { name: 'echo', arguments: { text: 'y' } })
    expect(echo.result.content[0].text).toBe('y')
    expect(bridged.lines.filter(({ id }) => id === 7)).toEqual([])
    expect(gate.asked()).toBe(1)
  })

  test('nobody can sign in: the caller is told, lists are empty, and a sign-in elsewhere is noticed', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeGate()
    gate.refuse()
    const told: unknown[] = []
    const bridged = start(remote.url, { ...gate, onSignInRequired: (error) => told.push(error) })
    await bridged.ask('initialize', initializeParams())
    expect((await bridged.ask('tools/list')).result).toEqual({ tools: [] })
    const note = await bridged.wait(({ method }) => method === 'notifications/message')
    expect(note.params.data).toContain('https://as.example/authorize?x=1')
    const call = await bridged.ask('tools/call', { name: 'echo', arguments: { text: 'x' } })
    expect(call.result).toMatchObject({ isError: true })
    expect(JSON.stringify(call.result)).toContain('https://as.example/authorize?x=1')
    expect((await bridged.ask('prompts/get', { name: 'x' })).error.message).toMatch(/nobody is there/)
    expect(told.length).toBeGreaterThan(0)
    gate.open()
    await bridged.wait(({ method }) => method === 'notifications/tools/list_changed')
  }, 15_000)

  test('a sign-in that came to nothing is not begun again before half a minute is over', async () => {
    const remote = keep(await startSessionRemote())
    const gate = makeGate()
    gate.refuse()
    const bridged = start(remote.url, gate)
    await bridged.ask('initialize', initializeParams())
    for (let time = 0; time < 20; time += 1) await bridged.ask('tools/call', { name: 'echo', arguments: {} })
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await bridged.ask('tools/call', { name: 'echo', arguments: {} })
    expect(gate.asked()).toBe(1)

    const eager = makeGate()
    eager.refuse()
    const again = start(remote.url, { ...eager, brakeMs: 0 })
    await again.ask('initialize', initializeParams())
    await again.ask('tools/list')
    await new Promise((resolve) => setTimeout(resolve, 1100))
    await again.ask('tools/list')
    expect(eager.asked()).toBe(2)
  })

  test('a host that only asks who we are leads nobody to a sign-in', async () => {
    const gate = makeGate()
    const bridged = start('http://127.0.0.1:9/mcp', gate)
    const hello = await bridged.ask('server/discover', { _meta: envelope })
    expect(hello.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      cacheScope: 'private',
    })
    await bridged.close()
    expect(gate.asked()).toBe(0)
  })

  test('what the server said last time is told at once', async () => {
    const remembered = {
      era: 'session' as const,
      capabilities: { tools: {} },
      serverInfo: { name: 'notes', version: '3' },
      instructions: 'Be brief.',
    }
    const bridged = start('http://127.0.0.1:9/mcp', { ...makeGate(), remembered })
    expect((await bridged.ask('initialize', initializeParams('2024-11-05'))).result).toEqual({
      protocolVersion: '2024-11-05',
      capabilities: { tools: { listChanged: true } },
      serverInfo: { name: 'notes', version: '3' },
      instructions: 'Be brief.',
    })
  })
})

describe('a server that is not what it should be', () => {
  const hello = (
    response: Parameters<typeof sendJson>[0],
    body: Wire,
    headers: Record<string, string> = {},
  ): void =>
    sendJson(
      response,
      {
        jsonrpc: '2.0',
        id: body.id,
        result: {
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'odd', version: '1' },
        },
      },
      200,
      headers,
    )
  /** Greets as it should, and answers calls in its own way. */
  const startOdd = async (
    answer: (response: Parameters<typeof sendJson>[0], body: Wire, times: number) => void,
  ): Promise<Remote> => {
    let times = 0
    return keep(
      await startRemote((request, response, body) => {
        const message = body as Wire
        if (request.method !== 'POST') return void response.writeHead(405).end()
        if (message.method === 'initialize') return hello(response, message)
        if (message.id === undefined) return void response.writeHead(202).end()
        answer(response, message, times++)
      }),
    )
  }
  const call = { name: 'echo', arguments: {} }

  test('nobody listens there: requests are answered with what happened, and later ones try again', async () => {
    const bridged = start('http://127.0.0.1:9/mcp')
    await bridged.ask('initialize', initializeParams())
    const { error } = await bridged.ask('tools/list')
    expect(error.message).toMatch(/127\.0\.0\.1:9\/mcp cannot be used right now/)
  })

  const oddities: Record<string, [(response: Parameters<typeof sendJson>[0], body: Wire) => void, RegExp]> = {
    'hangs up': [(response) => void response.destroy(), /cannot be used right now/],
    'breaks off in the middle': [
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': '500' })
        response.write('{"jsonrpc":')
        setTimeout(() => response.destroy(), 20)
      },
      /broke off/,
    ],
    'ends its stream without an answer': [
      (response) =>
        void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n'),
      /ended its answer/,
    ],
    'answers 202': [(response) => void response.writeHead(202).end(), /ended its answer/],
    'answers 500': [(response) => void response.writeHead(500).end('no'), /answered 500/],
    'sends HTML': [
      (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
      /text\/html/,
    ],
    'sends no JSON': [(response) => sendJson(response, '{"jsonrpc":"2.0",'), /no MCP message/],
    'has a key twice': [
      (response, { id }) => sendJson(response, `{"jsonrpc":"2.0","id":${id},"result":{"a":1,"a":2}}`),
      /no MCP message/,
    ],
    'answers something else': [
      (response) => sendJson(response, { jsonrpc: '2.0', id: 'x', result: {} }),
      /ended its answer/,
    ],
    'leads elsewhere': [
      (response) => void response.writeHead(307, { location: 'https://other.example/mcp' }).end(),
      /leads on to https:\/\/other\.example\/mcp/,
    ],
  }
  for (const [name, [answer, words]] of Object.entries(oddities)) {
    test(`it ${name}: the request is answered all the same, and the next one works`, async () => {
      const remote = await startOdd((response, body, times) =>
        times === 0
          ? answer(response, body)
          : sendJson(response, { jsonrpc: '2.0', id: body.id, result: { content: [] } }),
      )
      const bridged = start(remote.url)
      await bridged.ask('initialize', initializeParams())
      expect((await bridged.ask('tools/call', call)).error.message).toMatch(words)
      expect((await bridged.ask('tools/call', call)).result).toEqual({ content: [] })
    })
  }

  test('N21 what it sends is passed on as it is: unknown members, large numbers, control characters', async () => {
    const result =
      '{"content":[{"type":"text","text":"\\u0000\\u001b[2J\\u2028\\n\\n{}"}],"x-own":{"__proto__":{"a":1}},"big":12345678901234567890,"small":-0,"rate":1.10}'
    const remote = await startOdd((response, { id }) =>
      sendJson(response, `{"jsonrpc":"2.0","id":${id},"result":${result}}`),
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const answered = await bridged.ask('tools/call', call)
    expect(answered.result['x-own']).toEqual(JSON.parse('{"__proto__":{"a":1}}'))
    expect(answered.result.content[0].text).toBe('\u0000\u001b[2J\u2028\n\n{}')
    expect(bridged.raw.at(-1)).toContain('"big":12345678901234567890,"small":-0')
  })

  test('401 without anybody who could sign in is told in words, and the error of a JSON-RPC body as it is', async () => {
    const remote = await startOdd((response, body, times) =>
      times === 0
        ? void response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
        : sendJson(
            response,
            { jsonrpc: '2.0', id: body.id, error: { code: -32603, message: 'why', data: { a: 1 } } },
            400,
          ),
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const first = await bridged.ask('tools/call', call)
    expect(first.result.isError).toBe(true)
    expect(first.result.content[0].text).toMatch(/does not accept the credentials/)
    expect((await bridged.ask('tools/call', call)).error).toEqual({
      code: -32603,
      message: 'why',
      data: { a: 1 },
    })
  })

  test('OT-01 a server whose new session is over at once is not asked for a third', async () => {
    let greetings = 0
    const remote = keep(
      await startRemote((request, response, body) => {
        const message = body as Wire
        if (message?.method === 'initialize') {
          greetings += 1
          return hello(response, message, { 'mcp-session-id': `s${greetings}` })
        }
        if (request.method === 'POST' && message.id === undefined) return void response.writeHead(202).end()
        response.writeHead(request.method === 'POST' ? 404 : 405).end()
      }),
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    expect((await bridged.ask('tools/call', call)).error.message).toMatch(/404/)
    expect(greetings).toBe(2)
  })
})

describe('streams', () => {
  const sessionHello = (id: unknown): string =>
    JSON.stringify({
      jsonrpc: '2.0',
      id,
      result: {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 's', version: '1' },
      },
    })
  const stream = { 'content-type': 'text/event-stream; charset=utf-8' }

  test('a stream may have any line ends, be cut anywhere, and stay open behind its answer', async () => {
    const remote = keep(
      await startRemote(async (request, response, body) => {
        const message = body as Wire
        if (request.method !== 'POST') return void response.writeHead(405).end()
        if (message.id === undefined) return void response.writeHead(202).end()
        response.writeHead(200, stream)
        if (message.method === 'initialize') {
          // It never ends.
          response.write(`\uFEFF: hello\r\nevent: message\r\ndata: ${sessionHello(message.id)}\r\n\r\n`)
          return
        }
        const note = JSON.stringify({
          jsonrpc: '2.0',
          method: 'notifications/message',
          params: { level: 'info', data: 'ä€𝄞' },
        })
        const text = `data:${note}\rdata\r\rid: 1\rretry: x\rdata: {"jsonrpc":"2.0",\rdata: "id":${message.id},\rdata: "result":{"content":[]}}\r\r\n`
        for (const byte of Buffer.from(text)) {
          response.write(Buffer.of(byte))
          await new Promise(setImmediate)
        }
        response.end()
      }),
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    expect((await bridged.ask('tools/call', { name: 'x' })).result).toEqual({ content: [] })
    expect(bridged.lines.find(({ method }) => method === 'notifications/message')?.params.data).toBe('ä€𝄞')
  })

  test('OT-07 a question that the server takes back is taken back at the host, under its id there', async () => {
    let finish: (() => void) | undefined
    const remote = keep(
      await startRemote(async (request, response, body) => {
        const message = body as Wire
        if (request.method !== 'POST') return void response.writeHead(405).end()
        if (message.id === undefined) return void response.writeHead(202).end()
        if (message.method === 'initialize') return sendJson(response, sessionHello(message.id))
        response.writeHead(200, stream)
        const say = (said: object): void =>
          void response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...said })}\n\n`)
        say({ id: 'own-id', method: 'roots/list' })
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        say({ method: 'notifications/cancelled', params: { requestId: 'own-id' } })
        say({ id: message.id, result: { content: [] } })
        response.end()
      }),
    )
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams('2025-11-25', { roots: {} }))
    const call = bridged.ask('tools/call', { name: 'x' })
    const question = await bridged.wait(({ method }) => method === 'roots/list')
    expect(question.id).not.toBe('own-id')
    finish?.()
    const taken = await bridged.wait(({ method }) => method === 'notifications/cancelled')
    expect(taken.params.requestId).toBe(question.id)
    expect((await call).result).toEqual({ content: [] })
  })
})

describe('rules for tools', () => {
  const rules = makeToolRules({ deny: ['delete_*'] })
  for (const era of ['session', 'stateless'] as const) {
    test(`a denied tool is neither listed nor called, and the model hears why; ${era}`, async () => {
      const remote = keep(await (era === 'session' ? startSessionRemote() : startStatelessRemote()))
      const client = await start(remote.url, { rules }).connect(era === 'session' ? session() : stateless())
      const names = (await client.listTools()).tools.map(({ name }) => name)
      expect(names).toContain('echo')
      expect(names).not.toContain('delete_all')
      const denied = await client.callTool({ name: 'delete_all', arguments: {} })
      expect(denied.isError).toBe(true)
      expect(JSON.stringify(denied.content)).toMatch(/deny delete_\*/)
      expect(remote.methods()).not.toContain('tools/call')

      const free = await start(remote.url).connect(era === 'session' ? session() : stateless())
      expect((await free.callTool({ name: 'delete_all', arguments: {} })).isError).not.toBe(true)
    })
  }

  const denyPaying = (account: string): ToolRules => ({
    decide: (_tool, args = {}) =>
      ['string', 'number'].includes(typeof args['account']) && String(args['account']) === account
        ? { allow: false, reason: `a rule denies pay(account:${account})` }
        : { allow: true },
  })
  const echoes = (): Promise<Remote> =>
    startRemote((request, response, body) => {
      const message = body as Wire
      if (request.method !== 'POST') return void response.writeHead(405).end()
      if (message.id === undefined) return void response.writeHead(202).end()
      const greeting = {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {} },
        serverInfo: { name: 'bank', version: '1' },
      }
      const result = message.method === 'initialize' ? greeting : { content: [] }
      sendJson(response, { jsonrpc: '2.0', id: message.id, result })
    })
  const pay = async (bridged: Bridged, id: number, args: string): Promise<Wire> => {
    const params = `{"name":"pay","arguments":${args}}`
    bridged.write(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`)
    return bridged.wait((message) => message.id === id)
  }

  for (const [account, denied, allowed] of [
    [
      '12345678901234567890',
      [
        '{"account":12345678901234567890}',
        '{"account":12345678901234567890.0}',
        '{"account":"12345678901234567890"}',
      ],
      ['{"account":12345678901234569999}'],
    ],
    // What a double makes of it, which is all that many servers see.
    ['12345678901234567000', ['{"account":12345678901234567890}'], ['{"account":12345678901234999999}']],
    [
      '5',
      ['{"account":5.0}', '{"account":5.0,"note":-0}', '{"account":50e-1,"note":12345678901234567890}'],
      ['{"account":6,"note":-0}'],
    ],
    ['0', ['{"account":-0}', '{"account":-0.0}', '{"account":1e-400}'], ['{"account":1e-4,"note":-0}']],
    ['-0', ['{"account":-0}', '{"account":-0.0}'], ['{"account":0}']],
    ['-0.0', ['{"account":-0.0}'], ['{"account":0.0}']],
  ] as const) {
    test(`M06 a rule about an argument holds however its number is written; ${account}`, async () => {
      const remote = keep(await echoes())
      const bridged = start(remote.url, { rules: denyPaying(account) })
      await bridged.ask('initialize', initializeParams())
      for (const [id, args] of denied.entries())
        expect(JSON.stringify((await pay(bridged, id, args)).result), args).toContain('a rule denies')
      expect(remote.methods()).not.toContain('tools/call')
      for (const [id, args] of allowed.entries())
        expect((await pay(bridged, 100 + id, args)).result, args).toEqual({ content: [] })
    })
  }

  test('an odd number excuses nothing else in the same message', async () => {
    const remote = keep(await echoes())
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const nested = (depth: number): string => `{"note":-0,"deep":${'['.repeat(depth)}${']'.repeat(depth)}}`
    for (const [id, args] of ['{"account":1,"account":2,"note":-0}', nested(1000)].entries())
      expect((await pay(bridged, id, args)).error.code, args.slice(0, 80)).toBe(-32700)
    // Whose id this is cannot be read any more.
    void pay(bridged, 99, '{"note":-0,"other":01}')
    expect((await bridged.wait(({ id }) => id === null)).error.code).toBe(-32700)
    expect(remote.methods()).not.toContain('tools/call')
    expect((await pay(bridged, 100, nested(100))).result).toEqual({ content: [] })
    expect((await pay(bridged, 101, '{"note":-0,"text":"\\"01 -0 \\\\"}')).result).toEqual({ content: [] })
  })

  test('a call without an id is no way around the rules; notifications are passed on', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url, { rules })
    await bridged.ask('initialize', initializeParams('2025-03-26'))
    await bridged.ask('tools/list')
    const call = { jsonrpc: '2.0', method: 'tools/call', params: { name: 'delete_all', arguments: {} } }
    const changed = { jsonrpc: '2.0', method: 'notifications/roots/list_changed' }
    bridged.write(call)
    bridged.write([call, { ...call, method: 'tools/list' }, changed])
    await eventually(() => remote.methods().at(-1)).toBe(changed.method)
    expect(remote.methods()).not.toContain('tools/call')
    expect(remote.methods().filter((method) => method === 'tools/list')).toHaveLength(1)
    expect(bridged.log.filter(({ event }) => event === 'connect.dropped')).toHaveLength(3)
  })

  test('patterns have stars and nothing else', () => {
    const decide = (pattern: string, name: string): boolean =>
      makeToolRules({ deny: [pattern] }).decide(name).allow
    for (const [pattern, name] of [
      ['a*c', 'abc'],
      ['a*c', 'ac'],
      ['*', ''],
      ['a*b*c', 'axbxc'],
      ['a.c', 'a.c'],
      ['*_all', 'delete_all'],
    ] as const)
      expect(decide(pattern, name), `${pattern} ${name}`).toBe(false)
    for (const [pattern, name] of [
      ['a*c', 'abcd'],
      ['ab*bc', 'abc'],
      ['a.c', 'abc'],
      ['a*b*c', 'acb'],
      ['A', 'a'],
    ] as const)
      expect(decide(pattern, name), `${pattern} ${name}`).toBe(true)
    expect(makeToolRules({ allow: ['read_*'] }).decide('write_x').allow).toBe(false)
    expect(makeToolRules({ allow: ['read_*'] }).decide('read_x').allow).toBe(true)
    expect(makeToolRules({ allow: ['*'], deny: ['x'] }).decide('x').allow).toBe(false)
  })
})

describe('a host that is not what it should be', () => {
  test('M11 what is no message is answered as far as it can be', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const cases: [string, Wire, number][] = [
      ['nonsense', null, -32700],
      ['{"jsonrpc":"2.0","id":4,"method":"ping","params":[]}', 4, -32602],
      ['{"jsonrpc":"2.0","id":5,"method":7}', 5, -32600],
      ['{"jsonrpc":"1.0","id":"six","method":"ping"}', 'six', -32600],
      ['{"jsonrpc":"2.0","id":8,"id":9,"method":"ping"}', 9, -32700],
      ['{"jsonrpc":"2.0","id":null,"method":"ping"}', null, -32600],
      ['[]', null, -32600],
    ]
    for (const [line, id, code] of cases) {
      bridged.write(line)
      const answer = await bridged.wait((message) => message.id === id && message.error?.code === code)
      expect(answer.error.message, line).toMatch(/./)
    }
    expect((await bridged.ask('ping')).result).toEqual({})
  })

  test('OT-10 the messages of a batch are answered one by one', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams('2025-03-26'))
    const request = (id: number): object => ({ jsonrpc: '2.0', id, method: 'ping' })
    bridged.write([request(1), request(2)])
    expect((await bridged.wait(({ id }) => id === 2)).result).toEqual({})
    expect(bridged.lines.filter(({ id }) => id === 1)).toHaveLength(1)
  })

  test('it closes the pipe: open calls are answered, and the session ends', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    await bridged.ask('tools/list')
    bridged.write({
      jsonrpc: '2.0',
      id: 'last',
      method: 'tools/call',
      params: { name: 'slow', arguments: { ms: 50 } },
    })
    bridged.input.end()
    await bridged.bridge.closed
    expect(bridged.lines.find(({ id }) => id === 'last').result.content).toEqual([
      { type: 'text', text: 'done' },
    ])
    expect(remote.sessions()).toBe(0)
  })

  test('the bridge is stopped: an open call is told so, and cancelled at the server', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url)
    await bridged.ask('initialize', initializeParams())
    const call = bridged.ask('tools/call', { name: 'slow', arguments: { ms: 60_000 } })
    await eventually(() => remote.methods().at(-1)).toBe('tools/call')
    await bridged.close()
    expect((await call).error.message).toMatch(/stopped/)
    await eventually(() => remote.cancelled.length).toBe(1)
    expect(remote.sessions()).toBe(0)
  })

  test('GW-52 a question that this request did not declare is not put to the host, whatever an earlier one declared', async () => {
    const remote = keep(await startSessionRemote())
    const bridged = start(remote.url)
    const able = { ...envelope, 'io.modelcontextprotocol/clientCapabilities': { roots: {} } }
    const call = { name: 'ask-related', arguments: {} }
    expect((await bridged.ask('tools/call', { ...call, _meta: able })).result.resultType).toBe(
      'input_required',
    )
    const { result } = await bridged.ask('tools/call', { ...call, _meta: envelope })
    expect(result).toMatchObject({ resultType: 'complete', isError: true })
    expect(result.content[0].text).toMatch(/does not support roots/)
  })

  test('GW-23 GW-51 a stateless request must say what the host can do, and removed methods are unknown', async () => {
    const remote = keep(await startStatelessRemote())
    const bridged = start(remote.url)
    const { 'io.modelcontextprotocol/clientCapabilities': _capabilities, ...poor } = envelope
    expect((await bridged.ask('tools/list', { _meta: poor })).error.code).toBe(-32602)
    expect((await bridged.ask('ping', { _meta: envelope })).error.code).toBe(-32601)
    expect((await bridged.ask('tools/list', { _meta: envelope })).result.resultType).toBe('complete')
  })
})
