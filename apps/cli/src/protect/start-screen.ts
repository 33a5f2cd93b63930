import { type Policy, toolsOpenedBy } from '@warder/policy'
import { paint, plain, table } from '../output.ts'
import type { ProofRow } from '../prove/proof.ts'
import type { ProvenServer } from './prove-own.ts'
import { setUpLines } from './set-up-text.ts'

/** Everything that the first screen says. */
export interface Started {
  readonly policy: Policy
  readonly servers: readonly Pick<ProvenServer, 'name' | 'endpoint' | 'inventory' | 'proof'>[]
  readonly issuer: string
  /** Only for a terminal; undefined when somebody owns the server already. */
  readonly ownerLink: string | undefined
  readonly policyFile: string
  /** What is in force: the file, or what other nodes have published. */
  readonly policySource: string
  readonly policyIsNew: boolean
  readonly dataPath: string
  /** What other commands must be told to find it. */
  readonly stateWords: string
  /** Shared with other nodes; undefined: the state is in the directory. */
  readonly database: string | undefined
}

/** The first screen: what a person needs to go on, in the order in which it is needed; or the same as one JSON object. */
export function startScreen(started: Started, json: boolean): string {
  if (json) return jsonScreen(started)
  const { servers } = started
  const of = (name: string): string => (servers.length > 1 ? ` of ${name}` : '')
  return [
    '',
    paint('bold', `Warder protects ${servers.map(({ name }) => name).join(', ')}`),
    '',
    table([
      ...servers.map(({ endpoint }) => ['MCP endpoint', paint('cyan', endpoint)]),
      ['Sign-in by', started.issuer],
      ['Policy', started.policySource + (started.policyIsNew ? ' (written just now: read it)' : '')],
      ...(started.database === undefined ? [] : [['Database', started.database]]),
      ['State', started.dataPath],
    ]),
    '',
    ...ownerLines(started.ownerLink),
    paint('bold', 'Connect a client'),
    ...servers.flatMap((server) => setUpLines({ ...server, stateWords: started.stateWords })),
    '',
    ...servers.flatMap((server) => [
      paint('bold', `Tools${of(server.name)} and the scope that each needs`),
      table(toolRows(started.policy, server)),
      '',
    ]),
    paint('bold', 'What a stranger gets'),
    table(proofRows(servers)),
    '',
    `Ctrl-C ends it.  Who called what: ${paint('cyan', `warder log tail${started.stateWords}`)}`,
    '',
  ].join('\n')
}

function jsonScreen({ policy, servers, issuer, policyFile, dataPath, database }: Started): string {
  return JSON.stringify({
    issuer,
    policy: policyFile,
    data: dataPath,
    ...(database === undefined ? {} : { database }),
    servers: servers.map((server) => ({
      name: server.name,
      endpoint: server.endpoint,
      tools: toolScopes(policy, server).map(([name, scope]) => ({ name, scope: scope ?? null })),
      proof: server.proof,
    })),
  })
}

function ownerLines(link: string | undefined): string[] {
  if (link === undefined) return []
  return [
    paint('bold', 'First: choose the owner’s e-mail and password'),
    `  ${paint('cyan', link)}`,
    '  This link works once, for 15 minutes.',
    '',
  ]
}

function toolRows(policy: Policy, server: Started['servers'][number]): string[][] {
  return toolScopes(policy, server).map(([name, scope]) => [
    plain(name),
    scope ?? paint('dim', 'no rule: nobody may call it'),
  ])
}

/** Each tool with the narrowest scope that opens it; wider ones imply that one. */
function toolScopes(
  policy: Policy,
  { name: serverName, inventory }: Started['servers'][number],
): (readonly [string, string | undefined])[] {
  const names = inventory.tools.map((tool) => tool.name)
  const server = policy.servers.get(serverName)
  if (server === undefined) return names.map((name) => [name, undefined] as const)
  const scopeOf = new Map<string, string>()
  for (const scope of server.scopes.keys()) {
    for (const tool of toolsOpenedBy(server, scope, names)) {
      const known = scopeOf.get(tool)
      if (known === undefined || server.scopes.get(known)?.implies.includes(scope)) scopeOf.set(tool, scope)
    }
  }
  return names.map((name) => [name, scopeOf.get(name)] as const)
}

/** The proof of all servers; what came out the same everywhere is one line. */
export function proofRows(servers: readonly Pick<ProvenServer, 'name' | 'proof'>[]): string[][] {
  const first = servers[0]?.proof ?? []
  const isSame = (row: ProofRow): boolean =>
    servers.every(({ proof }) =>
      proof.some(({ id, outcome, says }) => id === row.id && outcome === row.outcome && says === row.says),
    )
  const same = first.filter(isSame)
  const others = servers.flatMap(({ name, proof }) =>
    proof.filter((row) => !isSame(row)).map((row) => ({ ...row, title: `${name}: ${row.title}` })),
  )
  return [...same, ...others].map((row) => [mark(row.outcome), row.title, row.says])
}

function mark(outcome: ProofRow['outcome']): string {
  const marks = {
    passed: paint('green', '✓'),
    failed: paint('red', '✗'),
    warning: paint('yellow', '!'),
    'not-applicable': paint('dim', '–'),
  }
  return marks[outcome]
}
