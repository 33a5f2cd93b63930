import type { Discovery } from '@warder/client'
import type { OutboundFetch } from '@warder/outbound'
import { expect, test } from 'vitest'
import { isClientAlive } from '../../src/doctor/probe-client.ts'

const discovery = {
  metadata: { tokenEndpoint: 'https://as.example/token' },
  resource: 'https://mcp.example/mcp',
} as Discovery

test.each([
  ['{"error":"invalid_client"}', false],
  ['{"error":"invalid_grant"}', true],
  // It is also said to a client that is known and may not refresh.
  ['{"error":"unauthorized_client"}', undefined],
  ['{"error":"invalid_request"}', undefined],
  ['{}', undefined],
  ['no JSON', undefined],
])('whether a client is known, when it hears %s', async (body, verdict) => {
  const outbound = (async () => ({ body: new TextEncoder().encode(body) })) as unknown as OutboundFetch
  expect(await isClientAlive('abc', discovery, outbound)).toBe(verdict)
})
