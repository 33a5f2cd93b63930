import {
  checkHostFileEdit,
  decidePolicy,
  dialects,
  type Entry,
  editHostFile,
  expandServer,
  findSecrets,
  type Host,
  type HostConfig,
  type HostFileEdit,
  HostFileError,
  isPlainName,
  type ListPlace,
  listPlace,
  type Scope,
  type ServerConfig,
  type WritableServer,
} from '@warder/host-config'
import type { Option } from '../command.ts'
import { plain } from '../output.ts'
import { Problem } from '../problem.ts'
import { holdLists } from './hold-lists.ts'

export type WritableScope = Extract<Scope, 'local' | 'project' | 'user'>
export const writableScopes: readonly WritableScope[] = ['local', 'project', 'user']

export const scopeOption: Option = {
  value: 'SCOPE',
  says: 'local (this project, you alone), project (the checkout) or user (default: local in Claude Code, else user)',
  among: writableScopes,
}

/** The file that a scope of a host is in, or a Problem that says which scopes the host has. */
export function placeOf(host: Host, scope: string | undefined, config: HostConfig): ListPlace {
  const wanted = (scope ?? (host === 'claude-code' ? 'local' : 'user')) as WritableScope
  const place = listPlace(host, wanted, config.places)
  if (place !== undefined) return place
  const there = writableScopes.filter((one) => listPlace(host, one, config.places) !== undefined)
  throw new Problem(
    `${dialects[host].title} has no ${wanted} list of servers; it has: ${there.join(', ')}.`,
    2,
  )
}

/** A name that every host takes and that needs no quotes anywhere. */
export function checkServerName(name: string): string {
  if (isPlainName(name)) return name
  throw new Problem(
    `a server cannot be called ${plain(JSON.stringify(name))}: use letters, digits, _ and -.`,
    2,
  )
}

/** Refuses what must not be in a file: a literal secret. */
export function checkNoSecrets(server: WritableServer): void {
  const found = findSecrets(server, 'shell')
  if (found.length === 0) return
  throw new Problem(
    `${found.join(' and ')} would be a secret in a file. Keep it in the credential store: ` +
      `--header "Authorization: Bearer keychain://${server.name.toLowerCase().replace(/[^a-z0-9.-]/g, '-')}" --secret-stdin; or in a variable: \${NAME}.`,
    2,
  )
}

/** Refuses a server that managed lists do not let through, before anything is written. */
export function checkPolicy(server: WritableServer, host: Host, config: HostConfig): void {
  if (host === 'claude-code' && config.policy.isExclusive)
    throw new Problem('your administrator has a list of servers for Claude Code, and it takes no others.')
  const asEntry: ServerConfig = {
    ...server,
    source: { host: 'warder', scope: 'user', file: '', line: 1, column: 1, path: [] },
    node: { kind: 'null', place: { file: '', line: 1, column: 1 } },
  }
  const decision = decidePolicy(config, server, expandServer(asEntry, config))
  if (!decision.isAllowed)
    throw new Problem(`${plain(server.name)} is not allowed here: ${plain(decision.why)}.`)
}

/** A change of one entry of a host's file. */
export interface Change {
  readonly place: ListPlace
  readonly name: string
  readonly action: HostFileEdit['action']
  readonly entry?: Entry | undefined
}

/** Changes entries; what stands against the first that cannot be changed becomes a Problem. */
export async function putEntries(
  changes: readonly Change[],
  project: Pick<HostConfig, 'project'>,
): Promise<void> {
  await holdLists(() => {
    for (const change of changes) asProblem(change, () => editHostFile(editOf(change, project)))
  })
}

/** Throws what `putEntries` would, for any of them, and changes nothing. */
export function checkEntries(changes: readonly Change[], project: Pick<HostConfig, 'project'>): void {
  for (const change of changes) asProblem(change, () => checkHostFileEdit(editOf(change, project)))
}

function editOf(
  { place, name, action, entry }: Change,
  { project }: Pick<HostConfig, 'project'>,
): HostFileEdit {
  return {
    place,
    name,
    action,
    ...(entry === undefined ? {} : { entry }),
    ...(place.scope === 'project' ? { within: project } : {}),
  }
}

function asProblem({ place }: Change, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (error instanceof HostFileError) throw new Problem(plain(error.message))
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new Problem(`${plain(place.file)} cannot be written (${code}).`)
    throw error
  }
}

/**
 * The entry that a host without OAuth gets: Warder signs in, and the host sees a local server. No secret, no
 * URL, no blanks.
 */
export function bridgeServer(name: string): WritableServer {
  return { name, transport: 'stdio', command: 'warder', args: ['connect', name] }
}
