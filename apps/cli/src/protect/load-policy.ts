import { existsSync, readFileSync } from 'node:fs'
import { type Policy, PolicyErrors, proposePolicy, readPolicy, type ServerPolicy } from '@warder/policy'
import { Problem } from '../problem.ts'
import { writeOnce } from '../write-once.ts'
import type { Inventory } from './inspect-upstream.ts'
import { deriveName, type ProtectOptions } from './read-options.ts'

/** The policy in force and the one server that it protects. */
export interface LoadedPolicy {
  readonly policy: Policy
  readonly server: ServerPolicy
  /** The file was written by this start. */
  readonly isNew: boolean
}

/** What is to be protected: from the arguments, or from the policy file where they name nothing. */
export interface Target {
  readonly name: string
  readonly upstream: NonNullable<ProtectOptions['upstream']>
  readonly loaded: LoadedPolicy | undefined
}

/** Finds the server to protect, before anything is started. */
export function findTarget(options: ProtectOptions): Target {
  const policy = existsSync(options.policyFile) ? readPolicyFile(options.policyFile) : undefined
  if (policy === undefined) {
    if (options.upstream === undefined) {
      throw new Problem(
        'say what to protect: --url http://127.0.0.1:3001/mcp, or a command behind two dashes: warder protect -- npx -y some-server',
        2,
      )
    }
    return {
      name: options.name ?? deriveName(options.upstream),
      upstream: options.upstream,
      loaded: undefined,
    }
  }
  const server = findServer(policy, options)
  const upstream = server.url === undefined ? { run: server.run ?? [] } : { url: server.url }
  return { name: server.name, upstream, loaded: { policy, server, isNew: false } }
}

function findServer(policy: Policy, options: ProtectOptions): ServerPolicy {
  const { policyFile } = options
  const wanted = options.name ?? (options.upstream === undefined ? onlyServer(policy, policyFile) : undefined)
  const server =
    wanted === undefined
      ? [...policy.servers.values()].find((each) => protectsSame(each, options.upstream))
      : policy.servers.get(wanted)
  if (server === undefined || !protectsSame(server, options.upstream)) {
    const names = [...policy.servers.keys()].join(', ')
    throw new Problem(
      `${policyFile} is about another server (${names}). Name another file, which is then written: --policy other.yaml`,
    )
  }
  return server
}

function onlyServer(policy: Policy, file: string): string {
  const names = [...policy.servers.keys()]
  if (names.length !== 1 || names[0] === undefined)
    throw new Problem(`${file} names several servers: say which by --name (${names.join(', ')}).`)
  return names[0]
}

function protectsSame(server: ServerPolicy, upstream: ProtectOptions['upstream']): boolean {
  if (upstream === undefined) return true
  if ('url' in upstream) return server.url === upstream.url
  return server.run !== undefined && JSON.stringify(server.run) === JSON.stringify(upstream.run)
}

/** Writes a first policy from what the server offers, unless one is loaded. */
export function loadOrProposePolicy(
  target: Target,
  inventory: Inventory,
  options: ProtectOptions,
): LoadedPolicy {
  if (target.loaded !== undefined) return target.loaded
  const text = proposePolicy({
    name: target.name,
    ...target.upstream,
    tools: inventory.tools,
    hasResources: inventory.resources,
    hasPrompts: inventory.prompts,
    ...(options.issuer === undefined ? {} : { owner: options.owner ?? 'the-subject-of-a-user' }),
  } as Parameters<typeof proposePolicy>[0])
  writeOnce(options.policyFile, text, 0o644)
  const policy = readPolicyFile(options.policyFile)
  const server = policy.servers.get(target.name)
  if (server === undefined) throw new Problem(`${options.policyFile} does not name ${target.name}.`)
  return { policy, server, isNew: true }
}

/** Reads the file; all its errors are shown at once, each with line and column. */
export function readPolicyFile(file: string): Policy {
  try {
    return readPolicy(readFileSync(file, 'utf8'), file)
  } catch (error) {
    if (!(error instanceof PolicyErrors)) throw error
    const lines = error.problems.map(({ line, column, message }) => `  ${file}:${line}:${column}  ${message}`)
    throw new Problem(`the policy file cannot be used:\n${lines.join('\n')}`)
  }
}
