import {
  type HostDocument,
  type HostNode,
  memberOf,
  nodeAt,
  textOf,
  textsOf,
} from '../documents/host-node.ts'
import type { Finding } from '../finding.ts'

/**
 * Who wrote a settings file of Claude Code. `shared` comes with the checkout; `personal` is beside it and
 * should not.
 */
export type SettingsLayer = 'managed' | 'user' | 'shared' | 'personal'

/** A settings file, as far as it speaks of servers and of their tools. */
export interface Settings {
  readonly layer: SettingsLayer
  readonly document: HostDocument
  readonly allowed?: HostNode
  /** Every one of them counts, should the key stand twice. */
  readonly denied: readonly HostNode[]
  readonly managedOnly?: boolean
  readonly pluginsOnly?: boolean
  readonly approvesAll?: boolean
  readonly approved: readonly string[]
  readonly rejected: readonly string[]
  readonly plugins: ReadonlyMap<string, boolean>
  readonly permissions: HostNode | undefined
  readonly managedRulesOnly?: boolean
  readonly env: Readonly<Record<string, string>>
}

/** Reads what a settings file says; undefined when its host takes nothing from it, since it is not JSON. */
export function readSettings(layer: SettingsLayer, document: HostDocument): Settings | undefined {
  const { root } = document
  if (root?.kind !== 'object' || document.findings.some(({ rule }) => rule === 'not-strict-json'))
    return undefined
  const allowed = memberOf(root, 'allowedMcpServers')
  return {
    layer,
    document,
    ...(allowed === undefined ? {} : { allowed }),
    denied: root.members.filter(({ key }) => key === 'deniedMcpServers').map(({ value }) => value),
    ...flag('managedOnly', failClosed(memberOf(root, 'allowManagedMcpServersOnly'))),
    ...flag('pluginsOnly', pluginsOnly(memberOf(root, 'strictPluginOnlyCustomization'))),
    ...flag('approvesAll', isTrue(memberOf(root, 'enableAllProjectMcpServers'))),
    approved: textsOf(memberOf(root, 'enabledMcpjsonServers')) ?? [],
    rejected: someTexts(memberOf(root, 'disabledMcpjsonServers')),
    plugins: readPlugins(memberOf(root, 'enabledPlugins')),
    permissions: memberOf(root, 'permissions'),
    ...flag('managedRulesOnly', failClosed(memberOf(root, 'allowManagedPermissionRulesOnly'))),
    env: readEnv(nodeAt(root, ['env'])),
  }
}

/** What is wrong in the values that limit servers. */
export function settingsFindings({ document: { root } }: Settings): readonly Finding[] {
  return ['allowManagedMcpServersOnly', 'allowManagedPermissionRulesOnly'].flatMap(
    (key): readonly Finding[] => {
      const node = memberOf(root, key)
      if (node === undefined || node.kind === 'boolean') return []
      const message = `${key} must be true or false; anything else counts as true.`
      return [{ level: 'error', rule: 'policy-value', message, place: node.place }]
    },
  )
}

function flag<K extends string>(key: K, value: boolean | undefined): { readonly [P in K]?: boolean } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: boolean }
}

/** A limit that cannot be read is one. */
function failClosed(node: HostNode | undefined): boolean | undefined {
  if (node === undefined) return undefined
  return node.kind === 'boolean' ? node.value : true
}

function isTrue(node: HostNode | undefined): boolean | undefined {
  return node?.kind === 'boolean' ? node.value : undefined
}

function pluginsOnly(node: HostNode | undefined): boolean | undefined {
  if (node === undefined) return undefined
  if (node.kind === 'boolean') return node.value
  return node.kind !== 'array' || node.items.some((item) => textOf(item) === 'mcp')
}

/** A rejection counts even when something beside it is no text. */
function someTexts(node: HostNode | undefined): readonly string[] {
  return node?.kind === 'array' ? node.items.map(textOf).filter((text) => text !== undefined) : []
}

function readPlugins(node: HostNode | undefined): ReadonlyMap<string, boolean> {
  if (node?.kind !== 'object') return new Map()
  return new Map(node.members.map(({ key, value }) => [key, value.kind === 'boolean' && value.value]))
}

function readEnv(node: HostNode | undefined): Readonly<Record<string, string>> {
  const env = Object.create(null) as Record<string, string>
  if (node?.kind === 'object')
    for (const { key, value } of node.members) if (value.kind === 'text') env[key] = value.value
  return env
}
