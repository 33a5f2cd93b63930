import { dialects } from '../hosts/dialects.ts'
import type { Host } from '../server-config.ts'
import { editJson } from './edit-json.ts'
import { editToml } from './edit-toml.ts'
import type { Entry } from './entry.ts'

/** The text of a file of a host that has these servers and nothing else. */
export function writeEntryText(
  host: Host,
  servers: readonly { readonly name: string; readonly entry: Entry }[],
): string {
  const { style, table } = dialects[host]
  const text = servers.reduce((before, { name, entry }) => {
    const change = { path: [table], name, entry }
    return style === 'toml' ? (editToml(before, change) ?? before) : editJson(before, change)
  }, '')
  return text.trimEnd()
}
