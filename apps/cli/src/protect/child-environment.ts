import type { ServerPolicy } from '@warder/policy'
import { Problem } from '../problem.ts'

/** The environment variables that the policy file names, and nothing else of ours. */
export function childEnvironment(
  server: Pick<ServerPolicy, 'name' | 'env'>,
): Readonly<Record<string, string>> {
  const missing = server.env.filter((name) => process.env[name] === undefined)
  if (missing.length > 0) {
    throw new Problem(
      `the policy file gives ${server.name} the environment variables ${missing.join(', ')}, but they are not set here.`,
    )
  }
  return Object.fromEntries(server.env.map((name) => [name, process.env[name] ?? '']))
}
