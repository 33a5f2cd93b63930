import fc from 'fast-check'
import { type Call, type ClientClass, decide, type Policy, type Principal, readPolicy } from '../src/index.ts'

/** A principal as the guard proves it; everything can be said otherwise. */
export function principal(
  scopes: readonly string[] = [],
  other: {
    names?: readonly string[]
    groups?: readonly string[]
    issuer?: string
    client?: string
    class?: ClientClass
  } = {},
): Principal {
  return {
    user: {
      issuer: other.issuer ?? 'https://auth.example',
      subject: 'u1',
      names: other.names ?? ['owner'],
      groups: other.groups ?? [],
    },
    client: { id: other.client ?? 'c1', class: other.class ?? 'pre-registered' },
    scopes: new Set(scopes),
    tokenId: 't1',
    expiresAt: 2_000_000_000,
  }
}

/** The server `notes` of most tests; `access` is the text of its matrix. */
export function notes(access: string, more = ''): Policy {
  return readPolicy(`
version: 1
servers:
  notes:
    run: [notes-server]
    scopes:
      notes:read: { title: Read notes, basic: true }
      notes:write: { title: Change notes, implies: [notes:read], risk: high }
      notes:admin: { title: Everything, implies: [notes:write], risk: high }
      notes:share: { title: Share notes }
    tools:
      - { match: search_notes, scopes: [notes:read] }
      - { match: create_note, scopes: [notes:write] }
      - { match: share_note, scopes: [notes:read, notes:share] }
      - { match: wipe_all, never: true }
      - { match: wipe_*, scopes: [notes:admin] }
      - { match: about, scopes: [] }
    resources:
      - { match: "notes:///secret/*", never: true }
      - { match: "notes:///*", scopes: [notes:read] }
    prompts:
      - { match: summarize, scopes: [notes:read] }
  files:
    url: http://127.0.0.1:3001/mcp
    scopes: { files:read: { title: Read files, basic: true } }
    tools: [{ match: "*", scopes: [files:read] }]
${more}
access:
${access}
`)
}

export const everything = '  - { who: { user: owner }, client: any, may: [notes:admin, notes:share] }'

/** The outcome for a tool of `notes`. */
export function outcome(policy: Policy, who: Principal, call: string | Call, server = 'notes'): string {
  return decide(policy, server, who, typeof call === 'string' ? { kind: 'tool', name: call } : call).outcome
}

/** Text of any code points, lone surrogates too. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
})
