import { describe, expect, it } from 'vitest'
import {
  jsonRpcError,
  knownMethods,
  readCall,
  readMcpMessage,
  readSubscribedResources,
} from '../src/index.ts'
import { bytesOf, reasonOf } from './reason-of.ts'

const _meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' }
const message = (json: object) => readMcpMessage(bytesOf(JSON.stringify({ jsonrpc: '2.0', ...json })))
const older = (method: string, params: object = {}) => message({ id: 1, method, params })
const modern = (method: string, params: object = {}) =>
  message({ id: 1, method, params: { ...params, _meta } })
const reason = (of: ReturnType<typeof message>) => reasonOf(() => readCall(of))

describe('GW-33: what a message wants, from its body', () => {
  it.each([
    ['tools/call', { name: 'echo', arguments: { a: 1 } }, { kind: 'tool', name: 'echo', args: { a: 1 } }],
    ['tools/call', { name: 'echo' }, { kind: 'tool', name: 'echo', args: {} }],
    ['prompts/get', { name: 'p' }, { kind: 'prompt', name: 'p' }],
    ['resources/read', { uri: 'file:///a' }, { kind: 'resource', uri: 'file:///a' }],
    ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' } }, { kind: 'prompt', name: 'p' }],
    [
      'completion/complete',
      { ref: { type: 'ref/resource', uri: 'a://{x}' } },
      { kind: 'resource', uri: 'a://{x}' },
    ],
    ['tools/list', {}, { kind: 'session', method: 'tools/list' }],
  ])('GW-33 M25 %s %j', (method, params, call) => {
    expect(readCall(older(method, params))).toEqual(call)
    expect(readCall(modern(method, params))).toEqual(call)
  })

  it.each(['resources/subscribe', 'resources/unsubscribe'])('GW-33 %s is decided like reading', (method) => {
    expect(readCall(older(method, { uri: 'file:///a' }))).toEqual({ kind: 'resource', uri: 'file:///a' })
  })

  it('OT-07 a response belongs to the session', () => {
    expect(readCall(message({ id: 1, result: {} }))).toEqual({ kind: 'session', method: 'response' })
  })

  it.each([
    'Delete',
    'dele\u0301te',
    'délete',
    'ｄelete',
    'dеlete',
    'delete\u200b',
    'delete ',
    '%64elete',
    'x'.repeat(129),
    '__proto__',
    'constructor',
    'a\0b',
  ])('M05 M07 M09 takes the name %j as it is', (name) => {
    expect(readCall(older('tools/call', { name }))).toEqual({ kind: 'tool', name, args: {} })
  })
})

describe('M10: methods', () => {
  it.each([
    'tools/call/',
    'Tools/Call',
    'tools/call ',
    'rpc.discover',
    'vendor/method',
    'constructor',
    '__proto__',
    'toString',
    '',
    'x'.repeat(10_240),
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'notifications/tools/list_changed',
  ])('M10 refuses %j', (method) => {
    expect(reason(older(method))).toBe('message.method')
    expect(reason(modern(method))).toBe('message.method')
    expect(reason(message({ method }))).toBe('message.method')
  })

  it.each(['tasks/get', 'tasks/list', 'tasks/cancel', 'tasks/result', 'tasks/update'])(
    'M23 refuses %s while tasks belong to nobody',
    (method) => {
      expect(reason(older(method, { taskId: 'x' }))).toBe('message.method')
      expect(reason(modern(method, { taskId: 'x' }))).toBe('message.method')
    },
  )

  it.each(['initialize', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'])(
    'GW-23 refuses %s in 2026-07-28, where it was removed',
    (method) => {
      expect(reason(modern(method, { uri: 'a' }))).toBe('message.method')
      expect(reason(older(method, { uri: 'a' }))).toBe('accepted')
    },
  )

  it.each(['server/discover', 'subscriptions/listen'])('GW-23 refuses %s before 2026-07-28', (method) => {
    expect(reason(older(method))).toBe('message.method')
    expect(reason(modern(method))).toBe('accepted')
  })

  it('M10 lets every known method through in its own form and era', () => {
    const params = { name: 'a', uri: 'a', ref: { type: 'ref/prompt', name: 'a' } }
    for (const [method, { form, eras }] of knownMethods) {
      const id = form === 'request' ? { id: 1 } : {}
      expect(reason(message({ ...id, method, params }))).toBe(
        eras.includes('session') ? 'accepted' : 'message.method',
      )
      expect(reason(message({ ...id, method, params: { ...params, _meta } }))).toBe(
        eras.includes('stateless') ? 'accepted' : 'message.method',
      )
    }
  })
})

describe('M11: requests without id', () => {
  it.each(['tools/call', 'resources/read', 'tools/list', 'initialize'])(
    'M11 refuses %s as a notification',
    (method) => {
      expect(reason(message({ method, params: { name: 'echo', uri: 'a' } }))).toBe('message.shape')
    },
  )

  it('M11 refuses a notification with an id', () => {
    expect(reason(message({ id: 1, method: 'notifications/initialized' }))).toBe('message.shape')
    expect(reason(message({ method: 'notifications/initialized' }))).toBe('accepted')
  })
})

describe('T01: what the log gets of a stranger', () => {
  it('T01 names no more than 64 characters of an unknown method', () => {
    expect(() => readCall(older('x'.repeat(1000)))).toThrow(
      expect.objectContaining({ notes: expect.objectContaining({ detail: 'x'.repeat(64) }) }),
    )
  })
})

describe('M14, M17: targets and arguments', () => {
  it.each([
    ['tools/call', {}],
    ['tools/call', { name: '' }],
    ['tools/call', { name: 1 }],
    ['tools/call', { name: ['echo'] }],
    ['tools/call', { name: { toString: 'echo' } }],
    ['tools/call', { name: 'echo', arguments: [] }],
    ['tools/call', { name: 'echo', arguments: 'x' }],
    ['tools/call', { name: 'echo', arguments: null }],
    ['prompts/get', { uri: 'x' }],
    ['resources/read', { name: 'x' }],
    ['resources/read', { uri: null }],
    ['completion/complete', {}],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'x' } }],
    ['completion/complete', { ref: { type: 'ref/tool', uri: 'a:1' } }],
    ['completion/complete', { ref: { type: 'ref/prompt', uri: 'x' } }],
    ['completion/complete', { ref: 'ref/prompt' }],
  ])('M14 M17 refuses %s %j', (method, params) => {
    expect(reason(older(method, params))).toBe('message.params')
  })

  it('M14 refuses tools/call without params', () => {
    expect(reason(message({ id: 1, method: 'tools/call' }))).toBe('message.params')
    expect(reason(message({ id: 1, method: 'tools/list' }))).toBe('accepted')
  })
})

describe('M03: what is decided is what every reader of the same bytes would do', () => {
  it.each([
    ['tools/call', { name: 'echo' }, { Name: 'wipe' }],
    ['tools/call', { name: 'echo' }, { Arguments: { force: true } }],
    ['prompts/get', { name: 'p' }, { NAME: 'hidden' }],
    ['resources/read', { uri: 'a://open' }, { URI: 'a://secret' }],
    ['tools/list', {}, { Cursor: '7' }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'p' } },
      { Ref: { type: 'ref/prompt', name: 'q' } },
    ],
  ])('M03 %s %j gives no call with %j beside it', (method, params, more) => {
    expect(reasonOf(() => readCall(older(method, { ...params, ...more })))).toBe('message.params')
    expect(reasonOf(() => readCall(older(method, params)))).toBe('accepted')
  })

  it('M03 a subscription cannot hide its resources behind another spelling', () => {
    const listen = (notifications: object) => () =>
      readSubscribedResources(modern('subscriptions/listen', { notifications }))
    expect(reasonOf(listen({ ResourceSubscriptions: ['a://secret'] }))).toBe('message.params')
    expect(listen({ resourceSubscriptions: ['a://open'] })()).toEqual(['a://open'])
  })
})

describe('GW-64: subscriptions', () => {
  it('GW-64 names the resources of a subscription', () => {
    const listen = (notifications: unknown) => modern('subscriptions/listen', { notifications })
    expect(readSubscribedResources(listen({ resourceSubscriptions: ['a://1', 'a://2'] }))).toEqual([
      'a://1',
      'a://2',
    ])
    expect(readSubscribedResources(listen({ toolsListChanged: true }))).toEqual([])
    const many = Array.from({ length: 201 }, (_, number) => `a://${number}`)
    expect(readSubscribedResources(listen({ resourceSubscriptions: many.slice(1) }))).toHaveLength(200)
    expect(reasonOf(() => readSubscribedResources(listen({ resourceSubscriptions: many })))).toBe(
      'message.too-complex',
    )
    expect(readSubscribedResources(older('tools/list'))).toEqual([])
  })

  it.each([
    [undefined],
    [[]],
    ['x'],
    [{ resourceSubscriptions: 'a' }],
    [{ resourceSubscriptions: [1] }],
    [{ resourceSubscriptions: null }],
  ])('GW-64 refuses %j', (notifications) => {
    expect(reasonOf(() => readSubscribedResources(modern('subscriptions/listen', { notifications })))).toBe(
      'message.params',
    )
  })
})

describe('M01: JSON-RPC errors', () => {
  it('M01 answers with id null where none could be read', () => {
    expect(jsonRpcError(undefined, -32600, 'no')).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32600, message: 'no' },
    })
    expect(jsonRpcError('a', -32022, 'no', { supported: [] })).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      error: { code: -32022, message: 'no', data: { supported: [] } },
    })
    expect(jsonRpcError(0, 1, 'x')).toStrictEqual({ jsonrpc: '2.0', id: 0, error: { code: 1, message: 'x' } })
  })
})
