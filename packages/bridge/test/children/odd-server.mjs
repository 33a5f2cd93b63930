// A stdio MCP server of 2025-06-18, written by hand so that it can do what no SDK would. Each tool is one oddity.
import { createInterface } from 'node:readline'

const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const text = (value) => ({
  content: [{ type: 'text', text: typeof value === 'string' ? value : JSON.stringify(value) }],
})

const received = []
const waiting = new Map()
let asked = 1000
let level = 'info'

const tools = {
  environment: () => text({ env: process.env, cwd: process.cwd(), umask: process.umask(), pid: process.pid }),
  received: () => text(received),
  level: () => text(level),
  deaf: () => {
    lines.pause()
    return text('I do not listen any more')
  },
  crash: () => process.exit(7),
  spin: () => {
    for (;;);
  },
  // A lot of bytes that are no JSON, on both outputs; then the answer.
  garbage: () => {
    const bytes = Buffer.from(Array.from({ length: 65_536 }, (_, n) => n % 256))
    for (let i = 0; i < 64; i++) process.stderr.write(bytes.fill(0xfe, 0, 256 * i))
    process.stdout.write(bytes)
    process.stdout.write('\r\r\r{"jsonrpc":"2.0"}\r\n')
    return text('the true answer')
  },
  'line-of-50-mb': () => {
    const part = 'x'.repeat(1024 * 1024)
    for (let i = 0; i < 50; i++) process.stdout.write(part)
  },
  deep: (id) => {
    const nested = '['.repeat(100_000) + ']'.repeat(100_000)
    process.stdout.write(`{"jsonrpc":"2.0","id":${id},"result":{"content":${nested}}}\n`)
  },
  // Answers and requests that nobody asked for, then the true answer.
  'unknown-ids': (id) => {
    send({ id: 999_999, result: text('nobody asked') })
    send({ id: String(id), result: text('the id as a string') })
    send({ id: null, result: text('no id') })
    send({ id: -1, error: { code: -32000, message: 'no' } })
    process.stdout.write('a banner that is not JSON\n[1,2,3]\n\n')
    send({ method: 'notifications/progress', params: { progressToken: 'made-up', progress: 1 } })
    return text('the true answer')
  },
  'not-an-answer': (id) => send({ id, result: 'a string' }),
  'asks-for-input': () => ({ resultType: 'input_required', inputRequests: {} }),
  // Asks the client for something and returns what came back.
  ask: (id, { method }) => {
    waiting.set(++asked, (answer) => send({ id, result: text(answer) }))
    send({ id: asked, method, params: {} })
  },
  // Never answers by itself; `received` shows what came for it.
  wait: (id, { steps = 0 }, meta) => {
    for (let step = 1; step <= steps; step++) {
      send({
        method: 'notifications/progress',
        params: { progressToken: meta?.progressToken, progress: step },
      })
    }
    open.push(id)
  },
  // Answers all that wait, in reverse order.
  'answer-all': () => {
    for (const id of open.splice(0).reverse()) send({ id, result: text(`answer to ${id}`) })
    return text('done')
  },
  echo: (_id, args, meta) => text({ args, meta: meta ?? null }),
  notify: (_id, { method, params }) => {
    send({ method, params })
    return text('sent')
  },
  fail: (_id, { code }) => ({ error: { code, message: `error ${code}` } }),
}
const open = []

const handlers = {
  initialize: ({ params }) => ({
    protocolVersion: '2025-06-18',
    capabilities: {
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      tasks: { list: {} },
      experimental: { odd: {} },
    },
    serverInfo: { name: 'odd', version: '1.2.3' },
    instructions: `declared: ${JSON.stringify(params.capabilities)}`,
  }),
  'tools/list': ({ params }) => {
    const names = Object.keys(tools)
    const from = Number(params?.cursor ?? 0)
    const page = names.slice(from, from + 5).map((name) => ({ name, inputSchema: { type: 'object' } }))
    return from + 5 < names.length ? { tools: page, nextCursor: String(from + 5) } : { tools: page }
  },
  'resources/list': () => ({ resources: [{ uri: 'odd:///a', name: 'a' }] }),
  'resources/read': ({ params }) =>
    params.uri === 'odd:///a'
      ? { contents: [{ uri: params.uri, text: 'a' }] }
      : { error: { code: -32002, message: 'Resource not found' } },
  'resources/subscribe': ({ id, params }) => {
    // Answered with all that wait.
    if (params.uri === 'odd:///later') return void open.push(id)
    return params.uri.startsWith('odd:///') ? {} : { error: { code: -32602, message: 'no such resource' } }
  },
  'resources/unsubscribe': () => ({}),
  'logging/setLevel': ({ params }) => {
    level = params.level
    return {}
  },
  'tools/call': ({ id, params }) => tools[params.name]?.(id, params.arguments ?? {}, params._meta),
}

const lines = createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const message = JSON.parse(line)
  received.push(message)
  if (message.method === undefined) return waiting.get(message.id)?.(message)
  if (message.id === undefined) return
  const handler = handlers[message.method]
  if (handler === undefined)
    return send({ id: message.id, error: { code: -32601, message: 'Method not found' } })
  const result = handler(message)
  if (result?.error !== undefined) send({ id: message.id, error: result.error })
  else if (result !== undefined) send({ id: message.id, result })
})
