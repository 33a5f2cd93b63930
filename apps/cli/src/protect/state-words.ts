import { type DataDirectory, defaultDataPath } from '../data-directory.ts'
import { quoted } from '../quoted.ts'
import { type Plan, stateName } from './find-targets.ts'

/**
 * What `warder log tail` and its kind must be told from another terminal to find this state; nothing where they find
 * it themselves.
 */
export function stateWords({ path }: Pick<DataDirectory, 'path'>, plan: Plan): string {
  const isFound = plan.policyFile === 'warder.yaml' && path === defaultDataPath(stateName(plan))
  return isFound ? '' : ` --data ${quoted(path)}`
}
