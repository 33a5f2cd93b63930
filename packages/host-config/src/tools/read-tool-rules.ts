import { type HostNode, memberOf, textOf } from '../documents/host-node.ts'
import type { Finding } from '../finding.ts'
import type { Settings } from '../hosts/settings.ts'
import { type RuleEffect, readToolRule, type ToolRule } from './tool-rule.ts'

const effects: readonly RuleEffect[] = ['deny', 'ask', 'allow']

/** The rules about MCP tools of all settings files, and those that Claude Code skips, as findings. */
export function readToolRules(settings: readonly Settings[]): {
  readonly rules: readonly ToolRule[]
  readonly findings: readonly Finding[]
} {
  const managed = settings.filter(({ layer }) => layer === 'managed')
  const managedOnly = managed.findLast((one) => one.managedRulesOnly !== undefined)?.managedRulesOnly ?? false
  const rules: ToolRule[] = []
  const findings: Finding[] = []
  for (const { permissions } of managedOnly ? managed : settings) {
    for (const effect of effects) {
      for (const node of itemsOf(memberOf(permissions, effect))) {
        const rule = readToolRule(effect, textOf(node) ?? '', node.place)
        if (typeof rule === 'string') {
          const message = `This ${effect} rule does not count: ${rule}`
          findings.push({ level: 'warning', rule: 'tool-rule', message, place: node.place })
        } else if (rule !== undefined) rules.push(rule)
      }
    }
  }
  return { rules, findings }
}

function itemsOf(node: HostNode | undefined): readonly HostNode[] {
  return node?.kind === 'array' ? node.items : []
}
