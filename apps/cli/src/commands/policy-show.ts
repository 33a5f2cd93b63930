import {
  type AccessRow,
  impliedScopes,
  type Policy,
  type ServerPolicy,
  type TargetRule,
} from '@warder/policy'
import type { Command } from '../command.ts'
import { paint, plain, print, table } from '../output.ts'
import { readPolicyFile } from '../protect/load-policy.ts'
import { policyFileOf, readText } from './policy-file.ts'

export const policyShow: Command = {
  usage: 'policy show [--policy FILE] [--json]',
  options: {
    policy: { value: 'FILE', says: 'Policy file (default: warder.yaml)' },
    json: { says: 'Print one JSON object: servers with scopes and tools, access, groups' },
  },
  examples: ['warder policy show', 'warder policy show --json | jq .access'],
  async run({ options, switches }) {
    const file = policyFileOf(options['policy'])
    readText(file)
    const policy = readPolicyFile(file)
    print(switches.has('json') ? JSON.stringify(asJson(policy)) : inWords(policy))
    return 0
  },
}

function asJson(policy: Policy): object {
  return {
    digest: policy.digest,
    servers: [...policy.servers.values()].map((server) => ({
      ...server,
      scopes: [...server.scopes.values()],
    })),
    groups: Object.fromEntries(policy.groups ?? []),
    access: policy.access,
  }
}

function inWords(policy: Policy): string {
  const parts = [...policy.servers.values()].map((server) => serverInWords(server, policy.access))
  const groups = [...(policy.groups ?? [])].map(([name, members]) => [name, members.join(', ') || 'nobody'])
  if (groups.length > 0) parts.push(`${paint('bold', 'groups')}\n${table(groups)}`)
  return parts.join('\n\n')
}

function serverInWords(server: ServerPolicy, access: readonly AccessRow[]): string {
  const scopes = [...server.scopes.keys()]
  const rows = access.flatMap((row, at) => {
    if (row.servers !== undefined && !row.servers.includes(server.name)) return []
    const cells = scopes.map((scope) => cellOf(server, row, scope))
    const isAbout = row.servers !== undefined || cells.some((cell) => cell !== '-')
    return isAbout ? [[String(at + 1), whoInWords(row), row.client ?? '', ...cells, narrowing(row)]] : []
  })
  const head = ['row', 'who', 'client', ...scopes, ''].map((cell) => paint('dim', cell))
  const lists = (['tools', 'resources', 'prompts'] as const).flatMap((what) =>
    server[what].length === 0
      ? []
      : [
          `  ${what}`,
          table(
            server[what].map((rule) => [plain(rule.match), needInWords(rule)]),
            '    ',
          ),
        ],
  )
  const matrix = rows.length === 0 ? '  nobody has access' : table([head, ...rows])
  return [paint('bold', server.name), matrix, ...lists].join('\n')
}

function cellOf(server: ServerPolicy, row: AccessRow, scope: string): string {
  if (row.never.some((denied) => impliedScopes(server, [scope]).has(denied))) return 'never'
  return impliedScopes(server, row.may).has(scope) ? 'may' : '-'
}

function whoInWords({ who }: AccessRow): string {
  if (who.kind === 'anyone') return 'anyone'
  const issuer = who.kind === 'user' && who.issuer !== undefined ? ` of ${who.issuer}` : ''
  return plain(`${who.kind} ${who.name}${issuer}`)
}

function narrowing({ tools, when }: AccessRow): string {
  const only = tools === undefined ? [] : [`only ${tools.join(', ')}`]
  return plain([...only, ...(when === undefined ? [] : [`when ${when}`])].join('; '))
}

function needInWords(rule: TargetRule): string {
  if (rule.never) return 'never'
  return rule.scopes.join(' ') || 'no scope'
}
