import type { ServerPolicy } from '@warder/policy'
import { Problem } from '../problem.ts'
import { loadPolicyFile, type PolicyFile } from './load-policy.ts'
import { deriveName, type ProtectOptions } from './read-options.ts'

/** One server to protect: from the arguments, or from the policy file where they name nothing. */
export interface Target {
  readonly name: string
  readonly upstream: NonNullable<ProtectOptions['upstream']>
  /** Names of environment variables that a command gets besides the usual ones. */
  readonly env: readonly string[]
}

/** What one start protects. */
export interface Plan {
  /** At least one, in the order of the policy file. */
  readonly targets: readonly [Target, ...Target[]]
  readonly policyFile: string
  /** What stands in it; undefined while there is none: then it is written from what the one target offers. */
  readonly file: PolicyFile | undefined
}

/** Finds what to protect, before anything is started: what the arguments name, else everything in the policy file. */
export function findTargets(options: ProtectOptions): Plan {
  const { policyFile } = options
  const file = loadPolicyFile(policyFile)
  if (file === undefined) return { targets: [targetOfArguments(options)], policyFile, file }
  const all = [...file.policy.servers.values()]
  const [first, ...others] = all.filter((server) => isMeant(server, options)).map(targetOfPolicy)
  if (first === undefined) {
    const names = all.map(({ name }) => name).join(', ')
    throw new Problem(
      `${policyFile} is about another server (${names}). Name another file, which is then written: --policy other.yaml`,
    )
  }
  return { targets: [first, ...others], policyFile, file }
}

/**
 * Whose name the state directory has: the first server's. It stays where it is when servers are added behind that one
 * (docs/decisions/0002).
 */
export function stateName({ targets }: Pick<Plan, 'targets'>): string {
  return targets[0].name
}

function targetOfArguments({ upstream, name }: ProtectOptions): Target {
  if (upstream === undefined) {
    throw new Problem(
      'say what to protect: --url http://127.0.0.1:3001/mcp, or a command behind two dashes: warder protect -- npx -y some-server',
      2,
    )
  }
  return { name: name ?? deriveName(upstream), upstream, env: [] }
}

function targetOfPolicy({ name, url, run, env }: ServerPolicy): Target {
  return { name, upstream: url === undefined ? { run: run ?? [] } : { url }, env }
}

function isMeant(server: ServerPolicy, { name, upstream }: ProtectOptions): boolean {
  if (name !== undefined && server.name !== name) return false
  if (upstream === undefined) return true
  if ('url' in upstream) return server.url === upstream.url
  return server.run !== undefined && JSON.stringify(server.run) === JSON.stringify(upstream.run)
}
