import type { Surroundings } from '../expand.ts'
import type { Finding } from '../finding.ts'
import { type Settings, settingsFindings } from '../hosts/settings.ts'
import type { ManagedPolicy, PolicyEntry } from './managed-policy.ts'
import { readPolicyList } from './read-policy-list.ts'

/**
 * Puts together what all settings files say about servers. Lists of deny always add up; lists of allow do,
 * unless the administrator has only its own count. Variables in entries come from where Warder was started,
 * and from the managed `env`.
 */
export function makePolicy(
  settings: readonly Settings[],
  around: Surroundings,
  { isExclusive, unreadable }: { isExclusive: boolean; unreadable: Finding | undefined },
): { readonly policy: ManagedPolicy; readonly findings: readonly Finding[] } {
  const managed = settings.filter(({ layer }) => layer === 'managed')
  const findings: Finding[] = settings.flatMap(settingsFindings)
  const own = Object.assign(Object.create(null), ...managed.map(({ env }) => env)) as Record<string, string>
  const surroundings = { ...around, own }
  const managedOnly = managed.findLast((one) => one.managedOnly !== undefined)?.managedOnly ?? false
  let allowed: PolicyEntry[] | undefined
  const denied: PolicyEntry[] = []
  for (const one of settings) {
    if (one.allowed !== undefined && (!managedOnly || one.layer === 'managed')) {
      const read = readPolicyList(one.allowed, 'allow', surroundings)
      allowed = [...(allowed ?? []), ...read.entries]
      findings.push(...read.findings)
    }
    for (const node of one.denied) {
      const read = readPolicyList(node, 'deny', surroundings)
      denied.push(...read.entries)
      findings.push(...read.findings)
    }
  }
  const pluginsOnly = managed.findLast((one) => one.pluginsOnly !== undefined)?.pluginsOnly ?? false
  const policy: ManagedPolicy = {
    allowed,
    denied,
    isExclusive,
    pluginsOnly,
    ...(unreadable === undefined ? {} : { unreadable }),
  }
  return { policy, findings }
}
