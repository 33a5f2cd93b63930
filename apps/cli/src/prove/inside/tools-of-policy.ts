import type { ServerPolicy } from '@warder/policy'

/** Names of tools that the lines of a server are about, one for each; what stands for a pattern is made up. */
export function toolsOfPolicy({ tools }: ServerPolicy): readonly string[] {
  return [...new Set(tools.map(({ match }) => match.replaceAll('*', 'something')))]
}
