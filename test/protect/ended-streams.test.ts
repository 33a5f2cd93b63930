import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { everything, runWarder, startWarder, type WarderProcess } from '../e2e/warder-process.ts'
import { claimOwner, type Owner } from './claim-owner.ts'
import { saveGrant } from './save-grant.ts'
import { call, signIn } from './scripted-sign-in.ts'

const owner: Owner = { email: 'owner@example.com', password: 'a password of the owner' }
const bob: Owner = { email: 'bob@example.com', password: 'a password of bob' }
const policy = `
version: 1
servers:
  everything:
    run: ${JSON.stringify([process.execPath, everything, 'stdio'])}
    scopes:
      everything:read: { title: Use the harmless tools, basic: true }
      everything:env: { title: Read the environment of the server, risk: high }
    tools:
      - { match: trigger-long-running-operation, scopes: [everything:read] }
      - { match: get-env, scopes: [everything:env] }
access:
  - { who: { user: owner }, client: any, may: [everything:read, everything:env] }
  - { who: { user: ${bob.email} }, client: any, may: [everything:read] }
`

const directory = mkdtempSync(join(tmpdir(), 'warder-ended-'))
const data = ['--data', join(directory, 'data')]
let warder: WarderProcess

beforeAll(async () => {
  writeFileSync(join(directory, 'warder.yaml'), policy)
  warder = await startWarder({ directory, args: ['--port', '0'] })
  await claimOwner(directory, owner)
  await runWarder(directory, ['user', 'add', bob.email, ...data], `${bob.password}\n`)
})

afterAll(async () => {
  await warder.stop('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

type SignedIn = Awaited<ReturnType<typeof signIn>>

const enter = (person: Owner): Promise<SignedIn> =>
  signIn({
    issuer: warder.issuer,
    resource: warder.endpoint,
    ...person,
    ...(person === owner ? { scope: 'everything:read everything:env', switchOn: ['everything:env'] } : {}),
  })

const ways: readonly [string, Owner, (ended: SignedIn) => Promise<unknown>][] = [
  [
    'N06 N07 grant revoke',
    owner,
    async ({ clientId }) => {
      const { out } = await runWarder(directory, ['grant', 'list', '--json', ...data])
      const grants = JSON.parse(out) as { readonly id: string; readonly client: string }[]
      const id = grants.find(({ client }) => client === clientId)?.id ?? ''
      expect(await runWarder(directory, ['grant', 'revoke', id, ...data])).toMatchObject({ code: 0 })
    },
  ],
  ['N06 N07 a scope taken away on the account page', owner, () => saveGrant(warder.issuer, owner, [])],
  [
    'N06 N07 an access token revoked by its client',
    owner,
    async ({ clientId, tokens }) => {
      const body = new URLSearchParams({ client_id: clientId, token: tokens.access_token })
      expect((await fetch(`${warder.issuer}/revoke`, { method: 'POST', body })).status).toBe(200)
    },
  ],
  [
    'N06 N07 user disable',
    bob,
    async () => {
      expect(await runWarder(directory, ['user', 'disable', bob.email, ...data])).toMatchObject({ code: 0 })
    },
  ],
]

test.each(ways)(
  '%s ends the streams and the call that are open, and those of another grant go on',
  async (_, person, end) => {
    const kept = await enter(owner)
    const ended = await enter(person)
    const [keptOpen, endedOpen] = [await openAll(kept), await openAll(ended)]
    expect([statesOf(keptOpen), statesOf(endedOpen)]).toEqual([allOpen, allOpen])
    await end(ended)
    await expect
      .poll(() => statesOf(endedOpen), { timeout: 20_000 })
      .toEqual([
        // One that was asked for as a subscription is told that it is over (GW-65).
        expect.stringContaining('"resultType":"complete"'),
        expect.not.stringMatching(/^open$/),
        expect.stringMatching(/^200 .*may have taken effect/s),
      ])
    // A whole call later, so that what was ended together with the others would have been noticed.
    expect((await call(warder.endpoint, kept.tokens.access_token, 'tools/list')).status).toBe(200)
    expect(statesOf(keptOpen)).toEqual(allOpen)
  },
)

const allOpen = ['open', 'open', 'open']
type Watched = { state: string }
const statesOf = (open: readonly Watched[]): readonly string[] => open.map(({ state }) => state)

/** A subscription, the stream of a session of an older revision, and a call that takes longer than the test. */
async function openAll({ tokens }: SignedIn): Promise<readonly Watched[]> {
  const token = tokens.access_token
  const news = { notifications: { toolsListChanged: true } }
  const long = { name: 'trigger-long-running-operation', arguments: { duration: 600, steps: 1 } }
  const running = watch(call(warder.endpoint, token, 'tools/call', long))
  const streams = [
    await call(warder.endpoint, token, 'subscriptions/listen', news),
    await openOldStream(token),
  ]
  expect(streams.map((stream) => stream.headers.get('content-type'))).toEqual([
    expect.stringContaining('text/event-stream'),
    expect.stringContaining('text/event-stream'),
  ])
  return [...streams.map(watch), running]
}

async function openOldStream(token: string): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  }
  const clientInfo = { name: 'old', version: '1' }
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo }
  const opened = await fetch(warder.endpoint, {
    method: 'POST',
    headers,
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params }),
  })
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  return fetch(warder.endpoint, {
    headers: { ...headers, ...session, 'mcp-protocol-version': '2025-11-25' },
  })
}

/** `open` until the answer has ended; then its status and what came. */
function watch(answer: Response | Promise<Response>): Watched {
  const watched: Watched = { state: 'open' }
  void Promise.resolve(answer)
    .then(async (response) => `${response.status} ${await response.text()}`)
    .catch((error: unknown) => `broken off: ${String(error)}`)
    .then((state) => (watched.state = state))
  return watched
}
