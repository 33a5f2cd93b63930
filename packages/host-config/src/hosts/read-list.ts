import { type HostDocument, nodeAt } from '../documents/host-node.ts'
import type { Finding } from '../finding.ts'
import type { Host, ServerConfig, ServerSource } from '../server-config.ts'
import { dialects, type HostStyle } from './dialects.ts'
import type { ListPlace } from './places.ts'
import { readServer } from './read-server.ts'

/** The entries of one table, and what is wrong with them. */
export interface ServerList {
  readonly servers: readonly ServerConfig[]
  readonly findings: readonly Finding[]
}

/** Reads a file once, whoever asks; with `within`, not through a link that leads out of there. */
export type LoadDocument = (file: string, style: HostStyle, within?: string) => HostDocument | undefined

/**
 * The servers of a table. A file that its host would not read at all gives broken entries: they hide others,
 * and do nothing.
 */
export function readList(
  { host, scope, file, path }: ListPlace,
  document: HostDocument | undefined,
  plugin?: ServerSource['plugin'],
): readonly ServerList[] {
  const table = nodeAt(document?.root, path)
  if (table === undefined) return wrongTable(host, document)
  if (table.kind !== 'object')
    return [
      {
        servers: [],
        findings: [
          {
            level: 'error',
            rule: 'wrong-type',
            message: 'The table of servers must be an object.',
            place: table.place,
          },
        ],
      },
    ]
  const unread = document?.findings.find(({ rule }) => rule === 'not-strict-json')
  const last = new Map(table.members.map((member) => [member.key, member]))
  const read = [...last.values()].map((member) =>
    readServer(member, { host, scope, file, path, ...(plugin === undefined ? {} : { plugin }) }),
  )
  return [
    {
      servers: read.flatMap(({ server }) =>
        server === undefined
          ? []
          : [unread === undefined ? server : { ...server, broken: server.broken ?? unread }],
      ),
      findings: read.flatMap(({ findings }) => findings),
    },
  ]
}

const tableNames = ['mcpServers', 'servers', 'mcp_servers']

/** `mcpServers` in a file of VS Code, which reads `servers`, and the like. */
function wrongTable(host: Host, document: HostDocument | undefined): readonly ServerList[] {
  if (host === 'claude-code' || document?.root?.kind !== 'object') return []
  const wrong = document.root.members.find(
    ({ key }) => tableNames.includes(key) && key !== dialects[host].table,
  )
  if (wrong === undefined) return []
  const message = `${dialects[host].title} does not read ${wrong.key}; its table of servers is ${dialects[host].table}.`
  return [
    { servers: [], findings: [{ level: 'warning', rule: 'ignored-field', message, place: wrong.keyPlace }] },
  ]
}
