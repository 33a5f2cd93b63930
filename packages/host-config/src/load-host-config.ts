import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type HostDocument, memberOf, nodeAt, textsOf } from './documents/host-node.ts'
import { loadDocument } from './documents/load-document.ts'
import type { Finding, FindingRule } from './finding.ts'
import { dialects, type HostStyle } from './hosts/dialects.ts'
import {
  claudeDirectory,
  claudeUserFile,
  findProject,
  type HostPlaces,
  type ListPlace,
  listPlace,
  managedDirectory,
} from './hosts/places.ts'
import { loadPlugins } from './hosts/plugins.ts'
import { type LoadDocument, readList, type ServerList } from './hosts/read-list.ts'
import { readSettings, type Settings, type SettingsLayer } from './hosts/settings.ts'
import { makePolicy } from './policy/make-policy.ts'
import type { ManagedPolicy } from './policy/managed-policy.ts'
import { hosts, type ServerConfig, scopes } from './server-config.ts'
import { readToolRules } from './tools/read-tool-rules.ts'
import type { ToolRule } from './tools/tool-rule.ts'

/** Everything that the hosts' files say about servers, and what is wrong in them. */
export interface HostConfig {
  /** Every entry of every file; which of them counts, `resolveServer` and `listServers` say. */
  readonly servers: readonly ServerConfig[]
  readonly findings: readonly Finding[]
  /** Every file that was there, with the place of every value. */
  readonly documents: readonly HostDocument[]
  readonly settings: readonly Settings[]
  readonly policy: ManagedPolicy
  readonly toolRules: readonly ToolRule[]
  /** What Claude Code's own file says of this project. */
  readonly claudeProject: ClaudeProject
  readonly project: string
  readonly places: HostPlaces
}

/** What Claude Code remembers of a project, in a file that the project does not hold. */
export interface ClaudeProject {
  readonly isTrusted: boolean
  readonly disabled: readonly string[]
  readonly approvesAll: boolean
  readonly approved: readonly string[]
  readonly rejected: readonly string[]
}

/**
 * Reads the server lists of all hosts, Claude Code's settings and the managed files. Nothing is started,
 * fetched or written; no variable is expanded. Mistakes are findings; a file that is absent is nothing.
 *
 * Not read, since no plain file holds it: settings that a server, a macOS profile or the Windows registry
 * hands out, and the connectors of claude.ai.
 */
export async function loadHostConfig(places: HostPlaces): Promise<HostConfig> {
  const project = findProject(places)
  const documents = new Map<string, HostDocument | undefined>()
  const load = (file: string, style: HostStyle, within?: string): HostDocument | undefined => {
    if (!documents.has(file))
      documents.set(file, loadDocument(file, style, within === undefined ? {} : { within }))
    return documents.get(file)
  }
  const managed = loadManaged(places, load)
  const settings = [...managed.settings, ...loadSettings(places, project, load)]
  const around = { env: places.env, home: places.home, project }
  const { policy, findings } = makePolicy(settings, around, managed)
  const rules = readToolRules(settings)
  const lists = [
    ...managed.lists,
    ...listPlaces(places, project).flatMap((place) =>
      readList(place, load(place.file, dialects[place.host].style, home(place, project))),
    ),
    ...loadPlugins(claudeDirectory(places), settings, load),
  ]
  const read = [...documents.values()].filter((document) => document !== undefined)
  return {
    servers: lists.flatMap(({ servers }) => servers),
    findings: [
      ...read.flatMap((document) => document.findings),
      ...lists.flatMap((list) => list.findings),
      ...findings,
      ...rules.findings,
    ],
    documents: read,
    settings,
    policy,
    toolRules: rules.rules,
    claudeProject: readClaudeProject(documents.get(claudeUserFile(places)), project),
    project,
    places,
  }
}

function home({ scope }: ListPlace, project: string): string | undefined {
  return scope === 'project' ? project : undefined
}

/**
 * From the strongest scope of each host to the weakest. Where we are may be below the project's own
 * directory.
 */
function listPlaces(places: HostPlaces, project: string): readonly ListPlace[] {
  const found = hosts.flatMap((host) =>
    scopes.map((scope) => listPlace(host, scope, places)).filter((place) => place !== undefined),
  )
  if (places.cwd === project || places.env['CLAUDE_PROJECT_DIR']) return found
  const here: readonly ListPlace[] = [
    {
      host: 'claude-code',
      scope: 'local',
      file: claudeUserFile(places),
      path: ['projects', places.cwd, 'mcpServers'],
    },
    { host: 'claude-code', scope: 'project', file: join(places.cwd, '.mcp.json'), path: ['mcpServers'] },
  ]
  return [...here, ...found]
}

interface Managed {
  readonly settings: readonly Settings[]
  readonly lists: readonly ServerList[]
  readonly isExclusive: boolean
  readonly unreadable: Finding | undefined
}

/** Claude Code takes Latin-1 for UTF-8 with odd letters, and nests deeper: there such a file counts. */
const closing: ReadonlySet<FindingRule> = new Set([
  'unreadable',
  'not-a-file',
  'too-large',
  'too-deep',
  'encoding',
])

function loadManaged(places: HostPlaces, load: LoadDocument): Managed {
  const directory = managedDirectory(places)
  const file = join(directory, 'managed-mcp.json')
  const list = load(file, 'strict')
  const parts = listDirectory(join(directory, 'managed-settings.d'))
  const files = [
    join(directory, 'managed-settings.json'),
    ...parts.files.map((name) => join(directory, 'managed-settings.d', name)),
  ]
  const documents = files.map((name) => load(name, 'strict')).filter((document) => document !== undefined)
  // What is no JSON gives nothing, as in Claude Code. What only Warder cannot read may forbid anything.
  const closed = [...documents, ...(list === undefined ? [] : [list])].flatMap(({ findings }) => findings)
  const unreadable = parts.unreadable ?? closed.find(({ rule }) => closing.has(rule))
  return {
    settings: documents
      .map((document) => readSettings('managed', document))
      .filter((one) => one !== undefined),
    lists: readList({ host: 'claude-code', scope: 'managed', file, path: ['mcpServers'] }, list),
    isExclusive: list !== undefined,
    unreadable,
  }
}

function listDirectory(directory: string): {
  readonly files: readonly string[]
  readonly unreadable?: Finding
} {
  try {
    return {
      files: readdirSync(directory)
        .filter((name) => /^[^.].*\.json$/.test(name))
        .sort(),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return { files: [] }
    const place = { file: directory, line: 1, column: 1 }
    const message = `This directory cannot be read (${code ?? 'unknown reason'}).`
    return { files: [], unreadable: { level: 'error', rule: 'policy-unreadable', message, place } }
  }
}

function loadSettings(places: HostPlaces, project: string, load: LoadDocument): readonly Settings[] {
  const files: readonly (readonly [SettingsLayer, string])[] = [
    ['user', join(claudeDirectory(places), 'settings.json')],
    ['shared', join(project, '.claude', 'settings.json')],
    ['personal', join(project, '.claude', 'settings.local.json')],
  ]
  return files.flatMap(([layer, file]) => {
    const document = load(file, 'strict', layer === 'user' ? undefined : project)
    const settings = document === undefined ? undefined : readSettings(layer, document)
    return settings === undefined ? [] : [settings]
  })
}

function readClaudeProject(document: HostDocument | undefined, project: string): ClaudeProject {
  const node = nodeAt(document?.root, ['projects', project])
  const trusted = memberOf(node, 'hasTrustDialogAccepted')
  const all = memberOf(node, 'enableAllProjectMcpServers')
  return {
    isTrusted: trusted?.kind === 'boolean' && trusted.value,
    disabled: textsOf(memberOf(node, 'disabledMcpServers')) ?? [],
    approvesAll: all?.kind === 'boolean' && all.value,
    approved: textsOf(memberOf(node, 'enabledMcpjsonServers')) ?? [],
    rejected: textsOf(memberOf(node, 'disabledMcpjsonServers')) ?? [],
  }
}
