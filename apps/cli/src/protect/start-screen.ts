import { type ServerPolicy, toolsOpenedBy } from '@warder/policy'
import { paint, plain, table } from '../output.ts'
import type { ProofRow } from '../prove/proof.ts'
import type { Inventory } from './inspect-upstream.ts'

/** Everything that the first screen says. */
export interface Started {
  readonly server: ServerPolicy
  readonly endpoint: string
  readonly issuer: string
  /** Only for a terminal; undefined when somebody owns the server already. */
  readonly ownerLink: string | undefined
  readonly policyFile: string
  readonly policyIsNew: boolean
  readonly dataPath: string
  readonly inventory: Inventory
  readonly proof: readonly ProofRow[]
}

/** The first screen: what a person needs to go on, in the order in which it is needed; or the same as one JSON object. */
export function startScreen(started: Started, json: boolean): string {
  if (json) return jsonScreen(started)
  return [
    '',
    paint('bold', `Warder protects ${started.server.name}`),
    '',
    table([
      ['MCP endpoint', paint('cyan', started.endpoint)],
      ['Sign-in by', started.issuer],
      ['Policy', started.policyFile + (started.policyIsNew ? ' (written just now: read it)' : '')],
      ['State', started.dataPath],
    ]),
    '',
    ...ownerLines(started.ownerLink),
    paint('bold', 'Connect a client'),
    ...setUpLines(started.server.name, started.endpoint),
    '',
    paint('bold', 'Tools and the scope that each needs'),
    table(toolRows(started)),
    '',
    paint('bold', 'What a stranger gets'),
    table(started.proof.map((row) => [mark(row.outcome), row.title, row.says])),
    '',
    `Ctrl-C ends it.  Who called what: ${paint('cyan', 'warder log tail')}`,
    '',
  ].join('\n')
}

function jsonScreen(started: Started): string {
  const { server, endpoint, issuer, policyFile, dataPath, proof } = started
  const tools = toolScopes(started).map(([name, scope]) => ({ name, scope: scope ?? null }))
  return JSON.stringify({
    name: server.name,
    endpoint,
    issuer,
    policy: policyFile,
    data: dataPath,
    tools,
    proof,
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

/** Ready to paste, for the clients that most people have. */
export function setUpLines(name: string, endpoint: string): string[] {
  return [
    `  Claude Code   claude mcp add --transport http ${name} ${endpoint}`,
    `  .mcp.json     ${JSON.stringify({ mcpServers: { [name]: { type: 'http', url: endpoint } } })}`,
    `  VS Code       code --add-mcp ${shellQuoted(JSON.stringify({ name, type: 'http', url: endpoint }))}`,
  ]
}

function toolRows(started: Started): string[][] {
  return toolScopes(started).map(([name, scope]) => [
    plain(name),
    scope ?? paint('dim', 'no rule: nobody may call it'),
  ])
}

/** Each tool with the narrowest scope that opens it; wider ones imply that one. */
function toolScopes({ server, inventory }: Started): (readonly [string, string | undefined])[] {
  const names = inventory.tools.map((tool) => tool.name)
  const scopeOf = new Map<string, string>()
  for (const scope of server.scopes.keys()) {
    for (const tool of toolsOpenedBy(server, scope, names)) {
      const known = scopeOf.get(tool)
      if (known === undefined || server.scopes.get(known)?.implies.includes(scope)) scopeOf.set(tool, scope)
    }
  }
  return names.map((name) => [name, scopeOf.get(name)] as const)
}

function mark(outcome: ProofRow['outcome']): string {
  const marks = {
    passed: paint('green', '✓'),
    failed: paint('red', '✗'),
    warning: paint('yellow', '!'),
    skipped: paint('dim', '–'),
  }
  return marks[outcome]
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
