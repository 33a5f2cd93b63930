import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

/** The scenarios that the suite's own list scores for a server of this revision. */
export function readScored(revision: string): string[] {
  const directory = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/conformance')
  const list = parse(readFileSync(join(directory, 'requirements', `${revision}.yaml`), 'utf8'))
  return (list as { server: string[] }).server
}
