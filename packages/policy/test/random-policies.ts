import fc from 'fast-check'
import { type ClientClass, clientClasses, type Principal } from '../src/index.ts'
import { principal } from './principals.ts'

export const scopes = ['s:a', 's:b', 's:c', 's:d'] as const
export const tools = ['t1', 't2', 't3', 'x_1', 'x_2'] as const
export const list = (items: readonly string[]): string =>
  `[${items.map((item) => JSON.stringify(item)).join(', ')}]`

export const someScopes = fc.subarray([...scopes])
export const whos = fc.constantFrom(
  'anyone',
  '{ user: ann }',
  '{ user: bob }',
  '{ group: staff }',
  '{ service: ci }',
)
const clients = fc.constantFrom(
  undefined,
  'any',
  'local',
  'self-registered',
  'document',
  'c1',
  'https://c.example/*',
)
const rowTools = fc.option(fc.subarray(['t1', 't2', 'x_*'], { minLength: 1 }), { nil: undefined })
export const row = fc
  .record({ who: whos, client: clients, may: someScopes, never: someScopes, tools: rowTools })
  .map(({ who, client, may, never, tools: narrowed }) => {
    const parts = [`who: ${who}`, 'servers: [s]', `may: ${list(may)}`]
    if (client !== undefined) parts.push(`client: ${JSON.stringify(client)}`)
    if (never.length > 0) parts.push(`never: ${list(never)}`)
    if (narrowed !== undefined) parts.push(`tools: ${list(narrowed)}`)
    return `  - { ${parts.join(', ')} }`
  })
export const line = fc
  .record({
    match: fc.constantFrom('t1', 't2', 't*', 'x_*', '*1'),
    needed: fc.subarray([...scopes], { minLength: 1 }),
    never: fc.boolean(),
  })
  .map(
    ({ match, needed, never }) =>
      `      - { match: "${match}", ${never ? 'never: true' : `scopes: ${list(needed)}`} }`,
  )
// Each scope implies only earlier ones, so there is no circle.
export const implications = fc.tuple(...scopes.map((_, at) => fc.subarray(scopes.slice(0, at))))

export const text = (
  rows: readonly string[],
  lines: readonly string[],
  implied: readonly (readonly string[])[],
): string =>
  `version: 1
servers:
  s:
    run: [x]
    scopes:
${scopes.map((scope, at) => `      ${scope}: { title: T, implies: ${list(implied[at] ?? [])} }`).join('\n')}
    tools: ${lines.length === 0 ? '[]' : `\n${lines.join('\n')}`}
access: ${rows.length === 0 ? '[]' : `\n${rows.join('\n')}`}
`

export const policies = fc.tuple(
  fc.array(row, { maxLength: 6 }),
  fc.array(line, { maxLength: 6 }),
  implications,
)
export const principals: fc.Arbitrary<Principal> = fc
  .record({
    held: fc.subarray([...scopes, 'unknown']),
    names: fc.subarray(['ann', 'bob', 'ci']),
    groups: fc.subarray(['staff']),
    client: fc.constantFrom('c1', 'c2', 'https://c.example/x'),
    class: fc.constantFrom<ClientClass>(...clientClasses),
  })
  .map(({ held, ...other }) => principal(held, other))
