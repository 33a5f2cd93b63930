import type { HostDocument } from './host-node.ts'
import { type JsonStyle, readJson } from './read-json.ts'
import { readTextFile } from './read-text-file.ts'
import { readToml } from './read-toml.ts'

/**
 * Reads a configuration file; undefined when there is none. Every mistake is a finding, never a throw.
 *
 * A comment or a comma at the end in a file whose host reads strict JSON is an error finding of rule
 * `not-strict-json`, and the document is still read: who must act as the host would looks for that rule.
 */
export function loadDocument(
  file: string,
  style: JsonStyle | 'toml',
  options: { readonly within?: string } = {},
): HostDocument | undefined {
  const read = readTextFile(file, options)
  if (read === undefined) return undefined
  const format = style === 'toml' ? 'toml' : 'json'
  const text = read.text ?? ''
  if (read.text === undefined)
    return { file, format, text, root: undefined, findings: read.findings, mode: read.mode }
  const { root, findings } = style === 'toml' ? readToml(file, text) : readJson(file, text, style)
  return { file, format, text, root, findings: [...read.findings, ...findings], mode: read.mode }
}
