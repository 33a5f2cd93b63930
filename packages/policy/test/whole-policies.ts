import fc from 'fast-check'
import {
  type AccessRow,
  type Call,
  type ClientClass,
  clientClasses,
  type Policy,
  type Principal,
  type ScopeRule,
  type ServerPolicy,
  type TargetRule,
} from '../src/index.ts'
import { principal } from './principals.ts'

/** Sometimes each, sometimes nothing. */
export const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(of, { nil: undefined })
const some = <T>(of: readonly T[], minLength = 0): fc.Arbitrary<T[]> =>
  fc.subarray([...of], { minLength, maxLength: 2 })

const scopes = ['s:a', 's:b', 's:c', 's:d'] as const
export const toolNames = ['t1', 't2', 'delete_a', 'delete_b', 'a_read', 'delete_é', 'x'] as const
const matches = [...toolNames, 't*', 'delete_*', '*_read', '*e*', 'd*e_*', '*', 'delete_*b', '*a'] as const
export const uris = ['n:///a', 'n:///a/b', 'n:///a/../b', 'n:///%2e%2e/b', 'm:///'] as const
const clients = ['c1', 'c2', 'local', 'https://c.example/x', 'https://d.example/x/y'] as const
const saidClients = [
  'any',
  ...clientClasses,
  ...clients,
  'https://c.example/*',
  'https://d.example/*/y',
  'https://*',
]
const whens = [
  'args.folder == "ci"',
  'args.size > 3',
  'user.subject == "u1"',
  'client.class == "local"',
  '"staff" in user.groups',
  'time > timestamp("2026-01-01T00:00:00Z")',
  'no condition at all',
]

const whos: fc.Arbitrary<AccessRow['who']> = fc.oneof(
  fc.constant({ kind: 'anyone' as const }),
  fc.record({ kind: fc.constant('user' as const), name: fc.constantFrom('ann', 'bob') }),
  fc.constant({ kind: 'user' as const, name: 'ann', issuer: 'https://auth.example' }),
  fc.constant({ kind: 'user' as const, name: 'ann', issuer: 'https://other.example' }),
  fc.record({ kind: fc.constant('group' as const), name: fc.constantFrom('staff', 'ops') }),
  fc.constant({ kind: 'service' as const, name: 'ann' }),
)

export const rows: fc.Arbitrary<AccessRow> = fc
  .record({
    who: whos,
    client: maybe(fc.constantFrom(...saidClients)),
    may: some(scopes),
    never: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, some(scopes)),
    tools: maybe(some(matches, 1)),
    servers: maybe(fc.constantFrom(['s'], ['other'], ['s', 'other'])),
    when: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...whens)),
  })
  .map(({ who, client, may, never, tools, servers, when }) => ({
    who,
    may,
    never,
    ...(client !== undefined && { client }),
    ...(tools !== undefined && { tools }),
    ...(servers !== undefined && { servers }),
    ...(when !== undefined && { when }),
  }))

const lines = (match: fc.Arbitrary<string>): fc.Arbitrary<TargetRule[]> =>
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.record({ match, scopes: some(scopes), never: fc.constant(false) }) },
      fc.record({ match, scopes: fc.constant([]), never: fc.constant(true) }),
    ),
    { maxLength: 12 },
  )

const servers: fc.Arbitrary<ServerPolicy> = fc
  .record({
    implied: fc.tuple(...scopes.map((_, at) => fc.subarray(scopes.slice(0, at)))),
    tools: lines(fc.constantFrom(...matches)),
    resources: lines(fc.constantFrom(...uris, 'n:///*', '*/b', 'n:///a/*')),
    prompts: lines(fc.constantFrom(...matches)),
  })
  .map(({ implied, ...targets }) => ({
    name: 's',
    env: [],
    listLocked: true,
    scopes: new Map(scopes.map((name, at) => [name, scopeRule(name, implied[at])])),
    ...targets,
  }))

export const scopeRule = (name: string, implies: readonly string[] = []): ScopeRule => ({
  name,
  title: name,
  basic: false,
  implies,
  risk: 'normal',
})

/** All about the same people and the same client, and often all denials, so that their one list outgrows plain scanning. */
const crowdedRows: fc.Arbitrary<AccessRow[]> = fc
  .record({
    who: fc.constantFrom<AccessRow['who']>({ kind: 'anyone' }, { kind: 'user', name: 'ann' }),
    client: fc.constantFrom(undefined, 'any'),
    denies: fc.boolean(),
    several: fc.array(rows, { minLength: 20, maxLength: 60 }),
  })
  .map(({ who, client, denies, several }) =>
    several.map(({ client: _, may, never, ...row }) => {
      const crowded = { ...row, who, ...(client !== undefined && { client }) }
      return denies ? { ...crowded, may: [], never: may } : { ...crowded, may, never }
    }),
  )

// Few people and clients, so that many rows are about the same ones and those about one client get lists of their own.
export const policies: fc.Arbitrary<Policy> = fc
  .record({
    server: servers,
    access: fc.oneof(
      fc.array(rows, { maxLength: 6 }),
      fc.array(rows, { minLength: 30, maxLength: 120 }),
      crowdedRows,
    ),
    staff: fc.subarray(['ann', 'bob']),
    ops: fc.subarray(['ann', 'bob']),
  })
  .map(({ server, access, staff, ops }) => ({
    version: 1,
    servers: new Map([['s', server]]),
    access,
    groups: new Map([
      ['staff', staff],
      ['ops', ops],
    ]),
    digest: 'x',
  }))

export const callers: fc.Arbitrary<Principal> = fc
  .record({
    held: fc.subarray([...scopes, 'unknown']),
    names: fc.subarray(['ann', 'bob', 'eve']),
    groups: fc.subarray(['ops', 'staff']),
    client: fc.constantFrom(...clients, 'any'),
    class: fc.constantFrom<ClientClass>(...clientClasses),
  })
  .map(({ held, ...other }) => principal(held, other))

const args = maybe(
  fc.record(
    { folder: fc.constantFrom('ci', 'prod', 1), size: fc.constantFrom(1, 5, 'x') },
    { requiredKeys: [] },
  ),
)
export const calls: fc.Arbitrary<Call> = fc.oneof(
  fc
    .record({ name: fc.constantFrom(...toolNames, 'delete_c', '', 't'), args })
    .map(({ name, args }): Call => ({ kind: 'tool', name, ...(args !== undefined && { args }) })),
  fc.record({ kind: fc.constant('resource' as const), uri: fc.constantFrom<string>(...uris) }),
  fc.record({ kind: fc.constant('prompt' as const), name: fc.constantFrom<string>(...toolNames) }),
  fc.constant({ kind: 'session' as const, method: 'ping' }),
)
