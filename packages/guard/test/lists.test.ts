import { readPolicy } from '@warder/policy'
import { describe, expect, it } from 'vitest'
import { authenticate, makeGuard, policyText, signer } from './fixture.ts'

const guard = makeGuard()
const principal = await authenticate(guard, await signer.sign())
const named = (...names: readonly string[]) =>
  names.map((name) => ({ name, inputSchema: { type: 'object' } }))
const all = named('wipe_disk', 'publish_note', 'search_notes', 'new_tool', 'create_note', 'tmp_a')
const namesIn = (result: unknown) => (result as { tools: { name: string }[] }).tools.map((tool) => tool.name)

describe('tools/list', () => {
  it('RS-39 GW-72 open and locked tools stay in their order, hidden ones and unknown ones go', () => {
    expect(namesIn(guard.filter(principal, 'tools/list', { tools: all }))).toEqual([
      'publish_note',
      'search_notes',
      'create_note',
      'tmp_a',
    ])
  })
  it('where the policy does not list locked tools, only open ones stay', () => {
    const strict = readPolicy(policyText.replace('    scopes:\n', '    list_locked: false\n    scopes:\n'))
    const filtered = makeGuard({ policy: () => strict }).filter(principal, 'tools/list', { tools: all })
    expect(namesIn(filtered)).toEqual(['search_notes', 'tmp_a'])
  })
  it('GW-58 GW-68 GW-70 N05 every page is private, with its other fields as they were', () => {
    const page = {
      tools: all.slice(0, 1),
      nextCursor: 'abc',
      ttlMs: 500,
      cacheScope: 'public',
      resultType: 'complete',
      _meta: { a: 1 },
    }
    expect(guard.filter(principal, 'tools/list', page)).toEqual({ ...page, tools: [], cacheScope: 'private' })
    expect(guard.filter(principal, 'tools/list', { tools: [] })).toEqual({ tools: [], cacheScope: 'private' })
  })
  it('a kept tool is passed on whole', () => {
    const tool = {
      name: 'search_notes',
      title: 'S',
      annotations: { readOnlyHint: true },
      vendor: [1, { x: null }],
    }
    expect(guard.filter(principal, 'tools/list', { tools: [tool] })).toMatchObject({ tools: [tool] })
  })
  it('N03 fields that no list has are dropped', () => {
    const result = { tools: [], Tools: named('wipe_disk'), prompts: named('attack_plan'), debug: 'wipe_disk' }
    expect(JSON.stringify(guard.filter(principal, 'tools/list', result))).not.toMatch(/wipe_disk|attack_plan/)
  })
  it.each([
    null,
    [],
    'tools',
    7,
    {},
    { tools: {} },
    { tools: [null] },
    { tools: ['search_notes'] },
    { tools: [[]] },
    { tools: [{}] },
    { tools: [{ name: 7 }] },
    { tools: [{ name: '' }] },
    { tools: [{ Name: 'search_notes' }] },
    JSON.parse('{"__proto__":{"tools":[]}}'),
    JSON.parse('{"tools":[{"__proto__":{"name":"search_notes"}}]}'),
  ])('N02 the shape %j is refused', (result) => {
    expect(() => guard.filter(principal, 'tools/list', result)).toThrow('upstream.answer')
  })
})

describe('other lists', () => {
  it('prompts/list', () => {
    const prompts = [{ name: 'attack_plan' }, { name: 'summarize' }]
    expect(guard.filter(principal, 'prompts/list', { prompts })).toEqual({
      prompts: [{ name: 'summarize' }],
      cacheScope: 'private',
    })
  })
  it('resources/list', () => {
    const resources = ['notes:///secret/1', 'notes:///public/1', 'notes:///drafts/1'].map((uri) => ({
      uri,
      name: uri,
    }))
    expect(guard.filter(principal, 'resources/list', { resources })).toEqual({
      resources: resources.slice(1),
      cacheScope: 'private',
    })
  })
  it('N03 resources/templates/list', () => {
    const resourceTemplates = ['notes:///secret/{id}', 'notes:///public/{id}'].map((uriTemplate) => ({
      uriTemplate,
      name: 'n',
    }))
    expect(guard.filter(principal, 'resources/templates/list', { resourceTemplates })).toEqual({
      resourceTemplates: resourceTemplates.slice(1),
      cacheScope: 'private',
    })
  })
  it('N02 the list of another method is no answer', () => {
    expect(() => guard.filter(principal, 'prompts/list', { tools: [] })).toThrow('upstream.answer')
  })
})

describe('what else is shown', () => {
  it('N03 N05 server/discover is private, and its instructions say nothing about what is hidden', () => {
    const instructions =
      'Use search_notes first.\nNever use wipe_disk.\nSee attack_plan.\nwipe_disks is another word.'
    expect(
      guard.filter(principal, 'server/discover', { instructions, cacheScope: 'public', capabilities: {} }),
    ).toEqual({
      instructions: 'Use search_notes first.\nwipe_disks is another word.',
      cacheScope: 'private',
      capabilities: {},
    })
    expect(guard.filter(principal, 'initialize', { instructions, capabilities: {} })).toEqual({
      instructions: 'Use search_notes first.\nwipe_disks is another word.',
      capabilities: {},
    })
  })
  it.each(['initialize', 'server/discover'])(
    'N02 instructions of %s that are no text are refused',
    (method) => {
      for (const instructions of [{ text: 'wipe_disk' }, ['wipe_disk'], 7, null])
        expect(() => guard.filter(principal, method, { instructions })).toThrow('upstream.answer')
      expect(guard.filter(principal, method, { capabilities: {} })).not.toHaveProperty('instructions')
    },
  )
  it('M25 a completion passes whole where nothing in it is hidden, and as texts alone where something is', () => {
    const filter = (result: object) => guard.filter(principal, 'completion/complete', result)
    const whole = { completion: { values: ['search_notes', 'x'], total: 9, hasMore: true }, _meta: {} }
    expect(filter(whole)).toEqual(whole)
    const values = ['wipe_disk', 'search_notes', 7, { wipe_disk: 1 }]
    expect(filter({ completion: { values, total: 9 } })).toEqual({ completion: { values: ['search_notes'] } })
    for (const broken of [{}, { completion: 7 }, { completion: {} }, { completion: { values: {} } }])
      expect(() => filter(broken)).toThrow('upstream.answer')
  })
  it('N03 instructions keep lines about what is open, and about patterns; hidden prompts and resources go', () => {
    const lines = policyText
      .replace(
        '    prompts:',
        '      - { match: "notes:///keys", never: true }\n      - { match: "notes:///help", scopes: [notes:read] }\n    prompts:',
      )
      .replace(
        '      - { match: "tmp_*"',
        '      - { match: "raw_*", never: true }\n      - { match: "tmp_*"',
      )
    const other = makeGuard({ policy: () => readPolicy(lines) })
    const kept = ['Ask summarize.', 'Read notes:///help first.', 'raw_* are left out.', 'Use search_notes.']
    const gone = ['See attack_plan.', 'Never read notes:///keys.', 'Never use wipe_disk.']
    const instructions = [...kept, ...gone].join('\n')
    expect(other.filter(principal, 'initialize', { instructions })).toEqual({ instructions: kept.join('\n') })
  })
  it('N05 the content of a resource is private where it said anything about caching', () => {
    const contents = [{ uri: 'notes:///public/1', text: 'x' }]
    expect(guard.filter(principal, 'resources/read', { contents, cacheScope: 'public', ttlMs: 1 })).toEqual({
      contents,
      cacheScope: 'private',
      ttlMs: 1,
    })
    expect(guard.filter(principal, 'resources/read', { contents })).toEqual({ contents })
  })
})

it('M09 names are compared code point by code point', async () => {
  const cafe = readPolicy(policyText.replace('match: search_notes,', 'match: caf\u00e9,'))
  const wide = makeGuard({ policy: () => cafe })
  const outcome = (name: string) => wide.decide(principal, { kind: 'tool', name }).outcome
  expect(outcome('caf\u00e9')).toBe('open')
  for (const name of [
    'cafe\u0301',
    'CAF\u00c9',
    'caf\u00e9 ',
    ' caf\u00e9',
    'caf\u00e9\u200b',
    'c\u0430f\u00e9',
    '\uff43af\u00e9',
    '%63af\u00e9',
    `caf\u00e9${'x'.repeat(129)}`,
  ]) {
    expect([name, outcome(name)]).toEqual([name, 'hidden'])
  }
})
