import { unfitText } from './read-node.ts'
import { unfitPattern } from './read-pattern.ts'
import { isServerName } from './read-server.ts'
import { isReadingTool, isRiskyTool } from './risky-tool.ts'
import type { ToolFacts } from './tool-facts.ts'

/** What is known of a server when its first policy file is written. */
export interface PolicyProposal {
  /** Name of the server in the file and in its address; see `isServerName`. */
  readonly name: string
  /** The command, or else `url`. */
  readonly run?: readonly string[] | undefined
  readonly url?: string | undefined
  readonly tools: readonly ToolFacts[]
  /** Who gets the one row of the matrix: a user name; `owner` when absent. */
  readonly owner?: string | undefined
  readonly hasResources?: boolean | undefined
  /** Names of its prompts. */
  readonly prompts?: readonly string[] | undefined
}

interface Group {
  readonly scope: string
  readonly words: string
  readonly rule: string
  readonly tools: readonly string[]
}

/**
 * Writes a first `warder.yaml` for one server: two or three scopes judged by what its tools say of themselves, each tool
 * named, nothing else open, and a row for the owner. The text reads back through `readPolicy`. Tools whose names cannot
 * stand in the file are left out, with a comment, and so stay denied.
 *
 * Throws TypeError for a name that no server can have, or without exactly one of `run` and `url`.
 */
export function proposePolicy(input: PolicyProposal): string {
  if (!isServerName(input.name)) throw new TypeError(`not a server name: ${input.name}`)
  if ((input.run === undefined) === (input.url === undefined)) throw new TypeError('either run or url')
  const { name } = input
  // A server may list a name twice, once harmless and once not: the worst of them counts for the name.
  const risky = names(input.tools.filter(isRiskyTool))
  const more = names(input.tools.filter((tool) => !isReadingTool(tool))).filter(
    (tool) => !risky.includes(tool),
  )
  const reading = names(input.tools).filter((tool) => !risky.includes(tool) && !more.includes(tool))
  const left = [...new Set(input.tools.map((tool) => tool.name))].filter((tool) => !isNameable(tool))
  const prompts = [...new Set(input.prompts ?? [])].filter(isNameable)
  const hasMore = input.hasResources === true || prompts.length > 0
  const hasRead = reading.length > 0 || hasMore
  const implies = hasRead ? `, implies: [${name}:read]` : ''
  const groups: Group[] = [
    {
      scope: `${name}:read`,
      words: 'These only read, as far as their names and annotations tell.',
      rule: `{ title: ${quote(`Read with ${name}`)}, basic: true }`,
      tools: reading,
    },
    {
      scope: `${name}:write`,
      words: 'These change something, or do not say that they only read.',
      rule: `{ title: ${quote(`Make changes with ${name}`)}${implies} }`,
      tools: more,
    },
    {
      scope: `${name}:dangerous`,
      words: 'These read the environment, run commands, reach other systems, or delete. Look twice.',
      rule: `{ title: ${quote(`Use the dangerous tools of ${name}`)}, risk: high }`,
      tools: risky,
    },
  ].filter((group) => group.tools.length > 0 || (hasMore && group.scope === `${name}:read`))
  const lines = [
    ...heading,
    'version: 1',
    '',
    'servers:',
    `  ${quote(name)}:`,
    ...whereLines(input),
    ...scopeLines(groups),
    ...toolLines(groups, left),
    ...resourceLines(input),
    ...promptLines(name, prompts),
    ...accessLines(input.owner ?? 'owner', groups, name),
  ]
  return `${lines.join('\n')}\n`
}

const heading = [
  '# Who may do what with your MCP server. Warder reads this file at its start and whenever it changes.',
  '# It was proposed from what the tools say about themselves: read it once, and move what you see differently.',
]

function whereLines(input: PolicyProposal): readonly string[] {
  if (input.url !== undefined) return [`    url: ${quote(input.url)}`]
  return [
    '    # The command that starts the server. It gets no variables of your environment but PATH, HOME and the like;',
    '    # others are named here:  env: [SOME_VARIABLE]',
    `    run: [${(input.run ?? []).map(quote).join(', ')}]`,
  ]
}

function scopeLines(groups: readonly Group[]): readonly string[] {
  if (groups.length === 0) return []
  return [
    '',
    '    # What people can grant to a client. The title is what they read on the consent page.',
    '    # basic: granted without asking twice.   implies: includes the other.   risk: high: switched off until somebody wants it.',
    '    scopes:',
    ...groups.map((group) => `      ${quote(group.scope)}: ${group.rule}`),
  ]
}

function toolLines(groups: readonly Group[], left: readonly string[]): readonly string[] {
  const lines = groups
    .filter((group) => group.tools.length > 0)
    .flatMap((group) => [
      `      # ${group.words}`,
      ...group.tools.map((tool) => `      - { match: ${quote(tool)}, scopes: [${quote(group.scope)}] }`),
    ])
  const comments = left.flatMap((tool) => [
    `      # Denied, because its name cannot stand here: ${inQuotes(tool.slice(0, 200))}`,
  ])
  const intro = [
    '',
    '    # Which scopes each tool needs. The first line that matches counts; a tool without a line is denied, so a tool that',
    '    # the server gets tomorrow waits for you. * stands for any characters: delete_*. never: true denies to everybody.',
  ]
  if (lines.length === 0) return [...intro, ...comments, '    tools: []']
  return [...intro, '    tools:', ...lines, ...comments]
}

function resourceLines(input: PolicyProposal): readonly string[] {
  if (input.hasResources !== true) return []
  return [
    '',
    '    # What the server shows as resources: all of it, to everybody who may read. Narrow it with URIs: "notes:///*".',
    `    resources: [{ match: "*", scopes: [${quote(`${input.name}:read`)}] }]`,
  ]
}

function promptLines(name: string, prompts: readonly string[]): readonly string[] {
  if (prompts.length === 0) return []
  return [
    '',
    '    # Its prompt templates, named one by one like the tools.',
    '    prompts:',
    ...prompts.map((prompt) => `      - { match: ${quote(prompt)}, scopes: [${quote(`${name}:read`)}] }`),
  ]
}

function accessLines(owner: string, groups: readonly Group[], name: string): readonly string[] {
  const scopes = groups.map((group) => quote(group.scope)).join(', ')
  const servers = groups.length === 0 ? [`    servers: [${quote(name)}]`] : []
  return [
    '',
    '# The matrix: who may have which scopes, with which client. No row, no access; never: [...] beats every may.',
    '# A grant still needs consent: a row says what people can grant, not what is granted.',
    'access:',
    `  - who: { user: ${quote(owner)} }`,
    '    client: any   # or local, or https://claude.ai/* for one vendor; without client: all that did not just register themselves',
    `    may: [${scopes}]`,
    ...servers,
    '  # Somebody else, added with `warder user add`:',
    `  # - who: { user: bob@example.com }`,
    `  #   may: [${groups[0] === undefined ? '' : quote(groups[0].scope)}]`,
  ]
}

/** The names that can stand in the file, each once. */
function names(tools: readonly ToolFacts[]): readonly string[] {
  return [...new Set(tools.map((tool) => tool.name))].filter(isNameable)
}

/** Whether the name can stand behind `match` and then means itself alone. */
function isNameable(name: string): boolean {
  const isFit = name !== '' && name.trim() === name && !unfitText.test(name)
  return isFit && !name.includes('*') && unfitPattern(name, 'name') === undefined
}

// Words that a YAML reader takes for something else than text.
const notText = /^(?:null|true|false|yes|no|on|off|y|n|~)$/i

/** The text as YAML: plain where that is safe to read and to parse, else in double quotes. */
function quote(text: string): string {
  const isPlain = /^[A-Za-z_/][\w@./:-]*(?: [\w@./-]+)*$/.test(text) && !/:(?: |$)/.test(text)
  return isPlain && !notText.test(text) ? text : inQuotes(text)
}

/** In double quotes, with all but visible ASCII escaped, so that look-alikes and invisible characters show. */
function inQuotes(text: string): string {
  const escaped = text
    .replace(/["\\]/g, '\\$&')
    .replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `"${escaped}"`
}
