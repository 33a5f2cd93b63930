import type { AccessRow, Call, Policy, Principal, TargetRule } from '@warder/policy'

/** One way in which a policy grows; `at` counts from 0, and the row or line that matters is the last one. */
export interface Growth {
  readonly name: string
  readonly row?: (at: number) => Partial<AccessRow>
  readonly line?: (at: number) => string
}

export const growths: readonly Growth[] = [
  { name: 'rows about users', row: (at) => ({ who: { kind: 'user', name: `user${at}` } }) },
  { name: 'rows about clients', row: (at) => ({ client: `https://host${at}.example/client` }) },
  { name: 'rows about patterns of clients', row: (at) => ({ client: `https://host${at}.example/*` }) },
  { name: 'rows of one user, each for one tool', row: (at) => ({ tools: [`tool${at}`] }) },
  { name: 'tools by name', line: (at) => `tool${at}` },
  { name: 'tools by pattern', line: (at) => `${at}_*` },
]

/** A policy that has grown so, and the call of the one whom its last row or line is about. */
export function growPolicy(
  count: number,
  { row, line }: Growth,
): { readonly policy: Policy; readonly who: Principal; readonly call: Call } {
  const numbers = Array.from({ length: count }, (_, at) => at)
  const last = count - 1
  const open = (match: string): TargetRule => ({ match, scopes: ['notes:read'], never: false })
  const common = { who: { kind: 'user' as const, name: `user${last}` }, may: ['notes:read'], never: [] }
  const scope = { name: 'notes:read', title: 'Read notes', basic: true, implies: [], risk: 'normal' as const }
  const server = {
    name: 'notes',
    env: [],
    scopes: new Map([[scope.name, scope]]),
    tools: line === undefined ? [open(`tool${last}`)] : numbers.map((at) => open(line(at))),
    resources: [],
    prompts: [],
    listLocked: true,
  }
  return {
    policy: {
      version: 1,
      servers: new Map([[server.name, server]]),
      access: row === undefined ? [common] : numbers.map((at) => ({ ...common, ...row(at) })),
      digest: 'bench',
    },
    who: {
      user: {
        issuer: 'https://auth.example',
        subject: 's1',
        names: ['s1', `user${last}`],
        groups: ['staff'],
      },
      client: { id: `https://host${last}.example/client`, class: 'document' },
      scopes: new Set(['notes:read']),
      tokenId: 't1',
      expiresAt: 2_000_000_000,
    },
    call: { kind: 'tool', name: line === undefined ? `tool${last}` : line(last).replace('*', 'x'), args: {} },
  }
}
