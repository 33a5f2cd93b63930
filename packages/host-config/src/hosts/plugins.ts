import { join, resolve, sep } from 'node:path'
import { type HostDocument, type HostNode, memberOf, textOf } from '../documents/host-node.ts'
import { type LoadDocument, readList, type ServerList } from './read-list.ts'
import type { Settings } from './settings.ts'

/** The servers of Claude Code's plugins that are installed and switched on. */
export function loadPlugins(
  claudeDirectory: string,
  settings: readonly Settings[],
  load: LoadDocument,
): readonly ServerList[] {
  const installed = load(join(claudeDirectory, 'plugins', 'installed_plugins.json'), 'strict')
  const plugins = memberOf(installed?.root, 'plugins')
  if (plugins?.kind !== 'object') return []
  return plugins.members.flatMap(({ key, value }) => {
    const root = installPath(value)
    const isOn = settings.findLast(({ plugins }) => plugins.has(key))?.plugins.get(key) === true
    return root === undefined || !isOn ? [] : loadPlugin(key.split('@')[0]!, root, load)
  })
}

/** An entry is an object, or a list of them with the newest last. */
function installPath(node: HostNode): string | undefined {
  const entry = node.kind === 'array' ? node.items.at(-1) : node
  return textOf(memberOf(entry, 'installPath'))
}

function loadPlugin(name: string, root: string, load: LoadDocument): readonly ServerList[] {
  const list = join(root, '.mcp.json')
  const manifest = join(root, '.claude-plugin', 'plugin.json')
  const about = load(manifest, 'strict', root)
  const named = memberOf(about?.root, 'mcpServers')
  const plugin = { name, root }
  const found = readTable(list, load(list, 'strict', root), plugin)
  if (named?.kind === 'object')
    return [
      ...found,
      ...readList(
        { host: 'claude-code', scope: 'plugin', file: manifest, path: ['mcpServers'] },
        about,
        plugin,
      ),
    ]
  const file = named?.kind === 'text' ? resolve(root, named.value) : undefined
  if (file === undefined || file === list || !file.startsWith(root + sep)) return found
  return [...found, ...readTable(file, load(file, 'strict', root), plugin)]
}

/** The file of a plugin is a table of servers, with or without `mcpServers` around it. */
function readTable(
  file: string,
  document: HostDocument | undefined,
  plugin: { readonly name: string; readonly root: string },
): readonly ServerList[] {
  const path = memberOf(document?.root, 'mcpServers') === undefined ? [] : ['mcpServers']
  return readList({ host: 'claude-code', scope: 'plugin', file, path }, document, plugin)
}
