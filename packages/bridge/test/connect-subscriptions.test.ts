import { describe, expect, test } from 'vitest'
import { envelope, startBridged } from './connect/bridged.ts'
import { keep } from './connect/keep.ts'
import { startRemote } from './connect/remote.ts'
import { makeSignInGate } from './connect/sign-in-gate.ts'

const many = Array.from({ length: 201 }, (_, number) => `new:///${number}`)

describe('what a host of 2026-07-28 may listen to', () => {
  test.each([
    ['no filter', undefined],
    ['a filter that is none', []],
    ['a URI that is none', { resourceSubscriptions: [1] }],
    ['no list of URIs', { resourceSubscriptions: 'new:///1' }],
    ['more than 200 URIs', { resourceSubscriptions: many }],
  ])('GW-62 %s is refused; twin: 200 URIs are not', async (_what, notifications) => {
    const remote = keep(await startRemote((_request, response) => void response.writeHead(404).end()))
    const bridged = keep(startBridged(remote.url, makeSignInGate()))
    const refused = await bridged.ask('subscriptions/listen', { notifications, _meta: envelope })
    expect(refused).toMatchObject({ error: { code: -32602, message: expect.stringContaining('200 URIs') } })

    const params = { notifications: { resourceSubscriptions: many.slice(1) }, _meta: envelope }
    bridged.write({ jsonrpc: '2.0', id: 'all', method: 'subscriptions/listen', params })
    const { params: acknowledged } = await bridged.wait(
      ({ method }) => method === 'notifications/subscriptions/acknowledged',
    )
    expect(acknowledged.notifications.resourceSubscriptions).toHaveLength(200)
  })
})
