import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Call, decide, type PolicyErrors, policySchema, readPolicy } from '../src/index.ts'
import { principal } from './principals.ts'

const docs = join(import.meta.dirname, '..', '..', '..', 'docs')
const guide = readFileSync(join(docs, 'guides', 'policy.md'), 'utf8')
const blocks = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)

type Schema = Readonly<Record<string, unknown>>

/** The keys that a part of the schema knows. */
function keysOf(...path: readonly string[]): readonly string[] {
  const part = path.reduce<Schema>((schema, step) => schema[step] as Schema, policySchema)
  return Object.keys(part['properties'] as Schema)
}

/** The keys that the reader says it knows, when it meets one that nobody knows. */
function knownKeys(text: string): readonly string[] {
  try {
    readPolicy(text)
  } catch (error) {
    const said = (error as PolicyErrors).problems.find(({ message }) => message.includes('unknown key zzz'))
    return said?.message.split('known are ')[1]?.split(', ') ?? []
  }
  return []
}

describe('docs/guides/policy.md', () => {
  test('every example reads', () => {
    expect(blocks.length).toBe(3)
    for (const block of blocks) expect(() => readPolicy(block)).not.toThrow()
  })

  test('RS-31 Bob reads and Ann reads and writes, as it says', () => {
    const policy = readPolicy(blocks[1] ?? '')
    const may = (name: string, tool: string): string =>
      decide(policy, 'notes', principal(['notes:write', 'notes:read'], { names: [name] }), {
        kind: 'tool',
        name: tool,
        args: {},
      }).outcome
    expect(['bob@example.com', 'ann@example.com'].map((name) => may(name, 'search_notes'))).toEqual([
      'open',
      'open',
    ])
    expect(['bob@example.com', 'ann@example.com'].map((name) => may(name, 'create_note'))).toEqual([
      'hidden',
      'open',
    ])
  })

  test('M17 its conditions mean what it says', () => {
    const policy = readPolicy(blocks[2] ?? '')
    const create = (args: Record<string, unknown>, hour: number): string => {
      const call: Call = { kind: 'tool', name: 'create_note', args }
      const who = principal(['notes:write'], { class: 'local' })
      return decide(policy, 'notes', who, call, Date.UTC(2026, 0, 5, hour)).outcome
    }
    expect(create({ folder: 'drafts' }, 12)).toBe('open')
    expect(create({ folder: 'archive/2020' }, 12)).toBe('hidden')
    expect(create({}, 12)).toBe('hidden')
    const search = (hour: number): string =>
      decide(
        policy,
        'notes',
        principal(['notes:read'], { names: ['bob'] }),
        { kind: 'tool', name: 'search_notes' },
        Date.UTC(2026, 0, 5, hour),
      ).outcome
    expect([search(12), search(20)]).toEqual(['open', 'hidden'])
  })
})

describe('the JSON schema', () => {
  test('docs/warder.schema.json is what `warder policy schema` prints', () => {
    expect(JSON.parse(readFileSync(join(docs, 'warder.schema.json'), 'utf8'))).toEqual(policySchema)
  })

  test('S09 it knows the keys that the reader knows, and no others', () => {
    const server = ['properties', 'servers', 'additionalProperties']
    const file = (inServer: string, row: string): string =>
      `version: 1\nservers: { s: { run: [x], ${inServer} } }\naccess: [{ ${row} }]\n`
    const pairs: readonly (readonly [readonly string[], string])[] = [
      [keysOf(), 'zzz: 1'],
      [keysOf(...server), file('zzz: 1', '')],
      [
        keysOf(...server, 'properties', 'scopes', 'additionalProperties'),
        file('scopes: { a: { zzz: 1 } }', ''),
      ],
      [keysOf(...server, 'properties', 'tools', 'items'), file('tools: [{ zzz: 1 }]', '')],
      [keysOf('properties', 'access', 'items'), file('', 'zzz: 1')],
    ]
    for (const [inSchema, text] of pairs) expect(inSchema.toSorted()).toEqual(knownKeys(text).toSorted())
  })
})
