import type { UserFetch } from '@warder/outbound'
import { expect, test } from 'vitest'
import { checkFiveThings } from '../../src/doctor/checks/five-things.ts'
import type { Finding } from '../../src/doctor/finding.ts'

test.each([
  ['good', 'Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource"'],
  ['good', 'Basic, DPoP error="invalid_token", Resource_Metadata="https://mcp.example/x"'],
  ['note', 'Bearer error="invalid_token", error_description="see resource_metadata"'],
  ['note', 'Basic realm="resource_metadata"'],
  ['note', 'Bearer x_resource_metadata="https://mcp.example/x"'],
  ['note', ''],
])('a challenge says where to sign in: %s for %s', async (outcome, challenge) => {
  const headers = new Headers(challenge === '' ? {} : { 'www-authenticate': challenge })
  const fetch: UserFetch = async () => new Response(null, { status: 401, headers })
  const told: Finding[] = []
  const server = 'https://mcp.example/mcp'
  await checkFiveThings(
    server,
    fetch,
    { status: 401, headers, body: '', aheadMs: undefined },
    undefined,
    (one) => void told.push(one),
  )
  expect(told.find(({ check }) => check === '2. a resource server')?.outcome).toBe(outcome)
})
