import { type Decision, readPolicy } from '@warder/policy'
import { type Reason, Refusal, readChallenges } from '@warder/protocol'
import { describe, expect, it } from 'vitest'
import {
  authenticate,
  makeGuard,
  metadataUrl,
  policy,
  policyText,
  resource,
  signer,
  start,
} from './fixture.ts'

const guard = makeGuard()
const principal = await authenticate(guard, await signer.sign())
const modern = '2026-07-28'

const challengeOf = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(readChallenges(headers['www-authenticate'] ?? '')[0]?.params ?? [])
const tool = (name: string) => ({ kind: 'tool', name }) as const
const deny = (name: string, context: object = {}, by = makeGuard()) =>
  by.refuseDecision(by.decide(principal, tool(name)), tool(name), { id: 7, principal, ...context })

describe('RS-01 metadata', () => {
  it('RS-01 RS-02 RS-08 the metadata names resource, issuer and the basic scopes only', () => {
    expect(guard.metadata()).toEqual({
      resource,
      authorization_servers: ['https://auth.example.com'],
      scopes_supported: ['notes:read'],
      bearer_methods_supported: ['header'],
      resource_name: 'notes',
    })
    expect(guard.metadataUrl).toBe(metadataUrl)
    expect(guard.policyDigest()).toBe(policy.digest)
  })
  it('RS-19 offline_access is neither in the metadata nor in a challenge, even where the policy calls it basic', () => {
    const notes = policy.servers.get('notes')!
    const [read] = notes.scopes.values()
    const scopes = new Map([...notes.scopes, ['offline_access', { ...read!, name: 'offline_access' }]])
    const other = { ...policy, servers: new Map([['notes', { ...notes, scopes }]]) }
    const offline = makeGuard({ policy: () => other })
    expect(offline.metadata().scopes_supported).toEqual(['notes:read'])
    expect(challengeOf(offline.refuse(new Refusal('token.missing')).headers)['scope']).toBe('notes:read')
  })
})

describe('401', () => {
  it('G01 RS-03 RS-05 no token: where the metadata is and the basic scopes, and no error', () => {
    const answer = guard.refuse(new Refusal('token.missing'))
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe(
      `Bearer resource_metadata="${metadataUrl}", scope="notes:read"`,
    )
    expect(answer.headers['cache-control']).toBe('no-store')
  })
  const invalid: Reason[] = [
    'token.malformed',
    'token.algorithm',
    'token.type',
    'token.key',
    'token.signature',
    'token.issuer',
    'token.audience',
    'token.expired',
    'token.not-yet-valid',
    'token.claims',
    'token.revoked',
    'user.disabled',
  ]
  it.each(invalid)('RS-11 RS-12 %s: a real 401 with error, metadata and scope', (reason) => {
    const answer = guard.refuse(new Refusal(reason, { detail: 'for the log', cause: new Error('secret') }), {
      id: 7,
    })
    expect(answer.status).toBe(401)
    const { error_description: words, ...rest } = challengeOf(answer.headers)
    expect(rest).toEqual({ error: 'invalid_token', resource_metadata: metadataUrl, scope: 'notes:read' })
    expect(words).toMatch(/^[A-Z].*\.$/)
    expect(JSON.stringify(answer)).not.toMatch(/for the log|secret/)
  })
  it('RS-20 G29 a token in two places is 400 invalid_request', () => {
    const answer = guard.refuse(new Refusal('token.two-places'))
    expect(answer.status).toBe(400)
    expect(challengeOf(answer.headers)['error']).toBe('invalid_request')
  })
  it('a broken policy takes the scopes out of the 401 and nothing else', () => {
    const broken = makeGuard({
      policy: () => {
        throw new Error('line 7')
      },
    })
    const answer = broken.refuse(new Refusal('token.missing'))
    expect(answer.headers['www-authenticate']).toBe(`Bearer resource_metadata="${metadataUrl}"`)
  })
})

describe('403', () => {
  it('RS-21 RS-22 RS-23 all scopes of the operation at once, with words for the model and the right id', () => {
    const answer = deny('publish_note', { era: modern })
    expect(answer.status).toBe(403)
    const { error_description: words, ...rest } = challengeOf(answer.headers)
    expect(rest).toEqual({
      error: 'insufficient_scope',
      scope: 'notes:write notes:share',
      resource_metadata: metadataUrl,
    })
    expect(words).toContain('Ask for the scopes')
    const body = JSON.parse(answer.body)
    expect(body).toMatchObject({
      jsonrpc: '2.0',
      id: 7,
      error: { data: { scopes: ['notes:write', 'notes:share'] } },
    })
    expect(body.error.message).toContain('Needed: notes:write notes:share.')
  })
  it.each([undefined, '2025-11-25', '2025-03-26'])(
    'O11-06 for clients of %s also what was granted, since it replaces',
    (era) => {
      const answer = deny('create_note', era === undefined ? {} : { era })
      expect(challengeOf(answer.headers)['scope']).toBe('notes:read notes:write')
    },
  )
  it('O11-06 but nothing that is not a scope of this server', async () => {
    const wide = await authenticate(
      guard,
      await signer.sign({ scope: 'files:all notes:read offline_access' }),
    )
    const answer = makeGuard().refuseDecision(guard.decide(wide, tool('create_note')), tool('create_note'), {
      principal: wide,
    })
    expect(challengeOf(answer.headers)['scope']).toBe('notes:read notes:write')
  })
  it('RS-26 a broader scope satisfies the narrower need', async () => {
    const broad = await authenticate(guard, await signer.sign({ scope: 'notes:write' }))
    expect(guard.decide(broad, tool('search_notes')).outcome).toBe('open')
  })
  it('RS-07 RS-24 the same call gets the same challenge', () => {
    expect(deny('create_note', {}, makeGuard())).toEqual(deny('create_note', {}, makeGuard()))
  })
})

describe('asking again would be of no use', () => {
  const accountUrl = 'https://auth.example.com/account'
  const expectExplained = (answer: { status: number; body: string }) => {
    expect(answer.status).toBe(200)
    const { id, result } = JSON.parse(answer.body)
    expect([id, result.isError]).toEqual([7, true])
    expect(result.content[0].text).toContain(accountUrl)
    return result
  }
  it('RS-25 after three equal challenges the model is told; then one 401; then it is told again', () => {
    const patient = makeGuard({ accountUrl })
    expect([1, 2, 3].map(() => deny('create_note', {}, patient).status)).toEqual([403, 403, 403])
    expectExplained(deny('create_note', {}, patient))
    const renewed = deny('create_note', {}, patient)
    expect([renewed.status, challengeOf(renewed.headers)['error']]).toEqual([401, 'invalid_token'])
    expectExplained(deny('create_note', {}, patient))
    expectExplained(deny('create_note', {}, patient))
  })
  it('other scopes, other clients and the next day are asked anew', async () => {
    const clock = { time: start }
    const patient = makeGuard({}, clock)
    for (const _ of [1, 2, 3]) deny('create_note', {}, patient)
    expect(deny('publish_note', {}, patient).status).toBe(403)
    const token = await signer.sign({ client_id: 'client-2' })
    const other = await authenticate(patient, token)
    expect(deny('create_note', { principal: other }, patient).status).toBe(403)
    expect(deny('create_note', {}, patient).status).toBe(200)
    clock.time += 24 * 60 * 60_000
    expect(deny('create_note', {}, patient).status).toBe(403)
  })
  it('after the user widened the grant the old token gets 401, each time; a new one that lacks the scopes does not', async () => {
    let widened = false
    const informed = makeGuard({ accountUrl, isDeclined: () => !widened, isWidened: () => widened })
    expectExplained(deny('create_note', {}, informed))
    expectExplained(deny('create_note', {}, informed))
    widened = true
    expect([1, 2].map(() => deny('create_note', {}, informed).status)).toEqual([401, 401])
    const renewed = { principal: await authenticate(informed, await signer.sign({ jti: 'renewed' })) }
    expectExplained(deny('create_note', renewed, informed))
    widened = false
    expectExplained(deny('create_note', renewed, informed))
    widened = true
    expect(deny('create_note', renewed, informed).status).toBe(401)
  })
  it('who said no within a day is not asked at all', () => {
    const declined = makeGuard({ accountUrl, isDeclined: (_, scopes) => scopes.includes('notes:share') })
    expect(expectExplained(deny('publish_note', { era: modern }, declined)).resultType).toBe('complete')
    expect(deny('publish_note', {}, declined).status).toBe(401)
    expect(deny('create_note', {}, declined).status).toBe(403)
  })
})

describe('no scope could help', () => {
  it.each(['wipe_disk', 'no_such_tool', 'toString', '__proto__', 'constructor'])(
    'M05 N03 %s is an unknown tool, whether it exists or not',
    (name) => {
      const answer = deny(name)
      expect(answer.status).toBe(200)
      expect(answer.headers['www-authenticate']).toBeUndefined()
      expect(JSON.parse(answer.body)).toEqual({
        jsonrpc: '2.0',
        id: 7,
        error: { code: -32602, message: `Unknown tool: ${name}` },
      })
    },
  )
  it('N03 not much is echoed', () => {
    expect(deny('x'.repeat(100_000)).body.length).toBeLessThan(400)
  })
  it('a listed tool that these arguments never open is a tool error that says to stop', () => {
    const hidden: Decision = { outcome: 'hidden', because: 'args.folder' }
    const answer = guard.refuseDecision(hidden, tool('search_notes'), { id: 'a', principal, era: modern })
    const { id, result } = JSON.parse(answer.body)
    expect([answer.status, id, result.isError, result.resultType]).toEqual([200, 'a', true, 'complete'])
    expect(result.content[0].text).toContain('Do not try again')
  })
  it('a locked tool that is not listed is unknown as well', () => {
    const strict = readPolicy(policyText.replace('    scopes:\n', '    list_locked: false\n    scopes:\n'))
    const hidden: Decision = { outcome: 'hidden', because: 'args.folder' }
    const told = (by: typeof guard) =>
      by.refuseDecision(hidden, tool('create_note'), { id: 1, principal }).body
    expect(told(makeGuard({ policy: () => strict }))).toContain('Unknown tool')
    expect(told(guard)).toContain('Do not try again')
  })
  it('prompts and resources have their own words, and old clients their own code', () => {
    const hidden: Decision = { outcome: 'hidden', because: '' }
    const body = (call: Parameters<typeof guard.decide>[1], era?: string) =>
      JSON.parse(guard.refuseDecision(hidden, call, { id: 1, ...(era === undefined ? {} : { era }) }).body)
        .error
    expect(body({ kind: 'prompt', name: 'attack_plan' })).toEqual({
      code: -32602,
      message: 'Unknown prompt: attack_plan',
    })
    expect(body({ kind: 'resource', uri: 'a:b' }, modern).code).toBe(-32602)
    expect(body({ kind: 'resource', uri: 'a:b' }, '2025-11-25')).toMatchObject({
      code: -32002,
      data: { uri: 'a:b' },
    })
  })
  it('who has no row at all gets 403 without a challenge', () => {
    const call = { kind: 'session', method: 'tools/list' } as const
    const answer = guard.refuseDecision({ outcome: 'hidden', because: '' }, call, {})
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([403, undefined])
  })
  it('an open decision is not refused', () => {
    expect(() => deny('search_notes')).toThrow('internal')
  })
})

describe('what is not available', () => {
  it.each<Reason>(['policy.unavailable', 'keys.unavailable', 'revocations.unavailable', 'log.unavailable'])(
    '%s is 503 with Retry-After and no challenge',
    (reason) => {
      const answer = guard.refuse(new Refusal(reason, { retryAfter: 9 }), { id: 3 })
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '9'])
      expect(answer.headers['www-authenticate']).toBeUndefined()
      expect(JSON.parse(answer.body)).toMatchObject({ id: 3, error: { code: -32603 } })
    },
  )
  it('a policy that cannot be read, lost the server, or fails while deciding refuses calls and lists', () => {
    const call = tool('search_notes')
    const unreadable = makeGuard({
      policy: () => {
        throw new Error('line 7')
      },
    })
    let asked = 0
    const lost = makeGuard({ policy: () => (asked++ === 0 ? policy : { ...policy, servers: new Map() }) })
    for (const broken of [unreadable, lost]) {
      expect(() => broken.decide(principal, call)).toThrow('policy.unavailable')
      expect(() => broken.filter(principal, 'tools/list', { tools: [] })).toThrow('policy.unavailable')
      expect(() => broken.metadata()).toThrow('policy.unavailable')
    }
    const { servers, ...rest } = policy
    const failing = makeGuard({ policy: () => ({ ...rest, servers, access: undefined as never }) })
    expect(() => failing.decide(principal, call)).toThrow('policy.unavailable')
    expect(() => failing.filter(principal, 'tools/list', { tools: [call] })).toThrow('policy.unavailable')
    const nobody = { ...principal, user: undefined as never }
    expect(() => guard.filter(nobody, 'tools/list', { tools: [call] })).toThrow('policy.unavailable')
    expect(guard.filter(principal, 'tools/list', { tools: [call] })).toMatchObject({ tools: [call] })
  })
})

it('GW-29 GW-30 GW-31 a header mismatch is 400 -32020', () => {
  const answer = guard.refuse(new Refusal('message.header-mismatch'), { id: 'x' })
  expect(answer.status).toBe(400)
  expect(JSON.parse(answer.body)).toMatchObject({ id: 'x', error: { code: -32020 } })
})

it('a wrong method names the right ones', () => {
  expect(guard.refuse(new Refusal('http.method')).headers['allow']).toBe('GET, POST, DELETE')
  expect(guard.refuse(new Refusal('http.method'), { allow: 'GET, POST' }).headers['allow']).toBe('GET, POST')
})

it('G33 RS-32 whatever a token or scope says, the challenge stays one valid header of our own words', async () => {
  const evil = await authenticate(
    guard,
    await signer.sign({ scope: 'a", error="none notes:read', client_id: 'x\r\nSet-Cookie: a=b' }),
  )
  const answer = guard.refuseDecision(guard.decide(evil, tool('create_note')), tool('create_note"\r\nx: y'), {
    principal: evil,
  })
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer [\x20-\x7e]+$/)
  expect(challengeOf(answer.headers)).toMatchObject({ error: 'insufficient_scope', scope: 'notes:write' })
})
