import { describe, expect, it } from 'vitest'
import {
  type McpPost,
  narrowSubscription,
  readMcpMessage,
  readMcpPost,
  replaceMessages,
  replaceParams,
} from '../src/index.ts'
import { bytesOf, reasonOf } from './reason-of.ts'

const request = (id: unknown = 1, method = 'tools/list') => ({ jsonrpc: '2.0', id, method })
const notification = { jsonrpc: '2.0', method: 'notifications/initialized' }
const response = (id: unknown) => ({ jsonrpc: '2.0', id, result: {} })
const read = (json: unknown, takesBatches = true) => readMcpPost(bytesOf(JSON.stringify(json)), takesBatches)
const reason = (json: unknown, takesBatches?: boolean) => reasonOf(() => read(json, takesBatches))
const textOf = (post: Pick<McpPost, 'bytes'>) => new TextDecoder().decode(post.bytes)

describe('OT-10: what one POST carries', () => {
  it.each([true, false])('a message alone is one message, whether batches are taken or not (%s)', (takes) => {
    const post = read(request(), takes)
    expect([post.isBatch, post.messages.map(({ method }) => method), textOf(post)]).toEqual([
      false,
      ['tools/list'],
      JSON.stringify(request()),
    ])
  })

  it('M01 refuses an array where no batch is taken, and reads it where one is', () => {
    const batch = [request(1), request(2, 'ping'), notification]
    expect(reason(batch, false)).toBe('message.batch')
    const post = read(batch)
    expect(post.isBatch).toBe(true)
    expect(post.messages.map(({ kind, method }) => [kind, method])).toEqual([
      ['request', 'tools/list'],
      ['request', 'ping'],
      ['notification', 'notifications/initialized'],
    ])
    expect(textOf(post)).toBe(JSON.stringify(batch))
    expect(textOf(post.messages[1]!)).toBe(JSON.stringify(batch[1]))
  })

  it('M03 refuses a batch in which one message has a member that another reader takes for its name', () => {
    const call = (more: object) => ({ ...request(2, 'tools/call'), params: { name: 'echo', ...more } })
    expect(reason([request(1), call({ Name: 'wipe' })])).toBe('message.params')
    expect(reason([request(1), call({ extra: 'wipe' })])).toBe('accepted')
  })

  it('takes a batch of one, of responses, and of fifty; no empty one and none of fifty-one', () => {
    const many = (count: number) => Array.from({ length: count }, (_, id) => request(id))
    expect(reason([request()])).toBe('accepted')
    expect(reason([notification])).toBe('accepted')
    expect(reason([response(1), response(2)])).toBe('accepted')
    expect(reason(many(50))).toBe('accepted')
    expect(reason(many(51))).toBe('message.too-complex')
    expect(reason([])).toBe('message.shape')
  })

  it.each([
    ['responses among requests', [request(1), response(2)]],
    ['a response among notifications', [notification, response(2)]],
    ['initialize', [request(1), request(2, 'initialize')]],
    ['an id twice', [request(1), request(2), request(1, 'ping')]],
    ['a batch in a batch', [[request()]]],
    ['null', [request(), null]],
  ])('refuses %s', (_, batch) => {
    expect(reason(batch)).toBe('message.shape')
  })

  it('tells ids by their type too, and counts no notification', () => {
    expect(reason([request(1), request('1')])).toBe('accepted')
    expect(reason([notification, notification])).toBe('accepted')
  })
})

describe('M19: what is written anew', () => {
  it('keeps the very post when no message was replaced', () => {
    const post = read([request(1), request(2)])
    expect(replaceMessages(post, post.messages)).toBe(post)
  })

  it('writes a batch, and a message alone, with the replaced one in its place', () => {
    const post = read([request(1), request(2)])
    const other = replaceParams(post.messages[1]!, { cursor: 'x' })
    const written = replaceMessages(post, [post.messages[0], other])
    expect(JSON.parse(textOf(written))).toEqual([request(1), { ...request(2), params: { cursor: 'x' } }])
    expect(JSON.parse(textOf(other))).toEqual({ ...request(2), params: { cursor: 'x' } })
    expect(other.params).toEqual({ cursor: 'x' })

    const alone = read(request(3))
    const changed = replaceMessages(alone, [replaceParams(alone.messages[0], {})])
    expect(JSON.parse(textOf(changed))).toEqual({ ...request(3), params: {} })
  })
})

describe('GW-64: a subscription for allowed URIs only', () => {
  const listen = (uris: unknown) =>
    readMcpMessage(
      bytesOf(
        JSON.stringify({
          ...request(1, 'subscriptions/listen'),
          params: { x: 1, notifications: { toolsListChanged: true, resourceSubscriptions: uris } },
        }),
      ),
    )

  it('takes out what is not allowed and leaves everything else', () => {
    const narrowed = narrowSubscription(listen(['a:1', 'a:2', 'a:3']), new Set(['a:1', 'a:3']))
    const params = { x: 1, notifications: { toolsListChanged: true, resourceSubscriptions: ['a:1', 'a:3'] } }
    expect(JSON.parse(textOf(narrowed))).toEqual({ ...request(1, 'subscriptions/listen'), params })
    expect(narrowed.params).toEqual(params)
  })

  it('is the very message when all are allowed', () => {
    const message = listen(['a:1'])
    expect(narrowSubscription(message, new Set(['a:1', 'a:2']))).toBe(message)
  })

  it('refuses a list in which one is no string', () => {
    expect(reasonOf(() => narrowSubscription(listen(['a:1', 2]), new Set()))).toBe('message.params')
  })
})
