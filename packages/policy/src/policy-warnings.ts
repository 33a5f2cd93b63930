import type { AccessRow, Policy, ServerPolicy } from './policy.ts'

/**
 * What an operator should know about a policy that is valid: prohibitions that are easy to dodge, rows that are about
 * nobody, lines that open what nobody has read. One sentence each, for the terminal.
 */
export function policyWarnings(policy: Policy): readonly string[] {
  const rows = policy.access.flatMap((row, at) =>
    rowWarnings(row, policy.groups).map((text) => `access row ${at + 1}: ${text}`),
  )
  const servers = [...policy.servers.values()].flatMap((server) =>
    serverWarnings(server).map((text) => `server ${server.name}: ${text}`),
  )
  return [...servers, ...rows]
}

function rowWarnings(row: AccessRow, groups: Policy['groups']): readonly string[] {
  const warnings: string[] = []
  if (row.never.length > 0 && row.client !== undefined && row.client !== 'any') {
    warnings.push('never with a client is dodged by registering again under another name; leave client out')
  }
  if (
    row.never.length > 0 &&
    row.tools === undefined &&
    row.when !== undefined &&
    /\bargs\b/.test(row.when)
  ) {
    warnings.push(
      'resources and prompts have no arguments, so the never always holds there; narrow it with tools',
    )
  }
  if (row.who.kind === 'service')
    warnings.push('no service can sign in to this version, so the row is about nobody')
  if (row.who.kind === 'group' && groups?.has(row.who.name) !== true) {
    warnings.push(
      `the group ${row.who.name} is not under groups, so only a token of a foreign issuer can name it`,
    )
  }
  if (row.who.kind === 'user' && row.who.name.includes('@') && row.who.name !== row.who.name.toLowerCase()) {
    warnings.push(`${row.who.name} is compared exactly, and addresses in the own directory are lower-case`)
  }
  if (row.who.kind === 'anyone' && row.may.length > 0) {
    warnings.push('who: anyone is every user who can sign in, also those added later')
  }
  return warnings
}

function serverWarnings(server: ServerPolicy): readonly string[] {
  const lists = [
    ['tools', server.tools],
    ['prompts', server.prompts],
  ] as const
  return lists.flatMap(([what, rules]) =>
    rules.some((rule) => rule.match === '*' && !rule.never)
      ? [
          `match "*" hands every new one of its ${what} to everybody with that scope, before anybody has read it`,
        ]
      : [],
  )
}
