import { compileCondition } from '../src/condition.ts'
import {
  type AccessRow,
  type Call,
  type ClientIdentity,
  type Decision,
  impliedScopes,
  type Policy,
  type Principal,
  type ServerPolicy,
  type TargetRule,
} from '../src/index.ts'

/**
 * The decision as the rules say it, without any index: every line and every row is looked at, in the order of the file. Slow and
 * obvious; the real one must say the same, word for word.
 */
export function linearDecide(
  policy: Policy,
  name: string,
  who: Principal,
  call: Call,
  now?: number,
): Decision {
  const server = policy.servers.get(name)
  if (server === undefined) return hidden('the policy has no such server')
  const rows = policy.access.flatMap((row, at): readonly Row[] => {
    const isHere = row.servers === undefined || row.servers.includes(name)
    return isHere && isAbout(policy, row, who)
      ? [{ ...row, number: at + 1, answer: answerOf(policy, row, who, call, now) }]
      : []
  })
  if (call.kind === 'session') {
    return rows.some((row) => lets(server, row, who.client) && applies('may', row, 'hoped'))
      ? { outcome: 'open', because: 'a row of access lets them in' }
      : hidden(noRow(rows.filter((row) => lets(server, row, who.client))))
  }
  const rule = findRule(server, call)
  if (rule === undefined) return hidden(`no ${call.kind} line matches`)
  if (rule.never) return hidden(`the line ${rule.match} says never`)
  const tool = call.kind === 'tool' ? call.name : undefined
  const sure = decideWith('sure', { server, rows, rule, who, tool })
  const hoped = decideWith('hoped', { server, rows, rule, who, tool })
  if (sure.outcome === 'open' || sure.outcome === hoped.outcome) return sure.outcome === 'open' ? sure : hoped
  if (hoped.outcome === 'locked') return hoped
  return {
    outcome: 'locked',
    because: 'it depends on the arguments of the call',
    needed: rule.scopes,
    missing: sure.outcome === 'locked' ? sure.missing : [],
  }
}

type Kind = 'may' | 'never'
type View = 'sure' | 'hoped'
type Row = AccessRow & { readonly number: number; readonly answer: Answer }
type Answer = { readonly holds: 'yes' | 'no' | 'unknown' | 'failed'; readonly why?: string }

interface Asked {
  readonly server: ServerPolicy
  readonly rows: readonly Row[]
  readonly rule: TargetRule
  readonly who: Principal
  readonly tool: string | undefined
}

const hidden = (because: string): Decision => ({ outcome: 'hidden', because })

function isAbout(policy: Policy, { who }: AccessRow, { user }: Principal): boolean {
  if (who.kind === 'anyone') return true
  if (who.kind === 'service') return false
  if (who.kind === 'group') return groupsOf(policy, user).includes(who.name)
  return user.names.includes(who.name) && (who.issuer === undefined || who.issuer === user.issuer)
}

function groupsOf(policy: Policy, user: Principal['user']): readonly string[] {
  const listed = [...(policy.groups ?? [])].filter(([, members]) =>
    user.names.some((n) => members.includes(n)),
  )
  return [...new Set([...user.groups, ...listed.map(([group]) => group)])]
}

function answerOf(policy: Policy, row: AccessRow, who: Principal, call: Call, now?: number): Answer {
  if (row.when === undefined) return { holds: 'yes' }
  const condition = compileCondition(row.when)
  if ('message' in condition) return { holds: 'failed', why: 'it is no valid condition' }
  const isBefore = call.kind === 'session' || (call.kind === 'tool' && call.args === undefined)
  return condition.evaluate({
    user: { ...who.user, groups: groupsOf(policy, who.user) },
    client: who.client,
    args: call.kind === 'tool' ? call.args : undefined,
    now,
    unknown: new Set(isBefore ? ['args'] : []),
  })
}

function applies(kind: Kind, { answer }: Row, view: View): boolean {
  if (answer.holds === 'unknown') return kind === 'may' ? view === 'hoped' : view === 'sure'
  return answer.holds === 'yes' || (kind === 'never' && answer.holds === 'failed')
}

function coversClient(kind: Kind, said: string | undefined, { id, class: kindOf }: ClientIdentity): boolean {
  if (said === undefined) return kind === 'never' || kindOf !== 'self-registered'
  if (said === 'any') return true
  if (['pre-registered', 'document', 'local', 'self-registered'].includes(said)) return kindOf === said
  if (kind === 'never') return starMatches(said, id)
  if (said.includes('*')) return kindOf === 'document' && starMatches(said, id)
  return said === id && (kindOf === 'document' || kindOf === 'pre-registered')
}

function coversTool(kind: Kind, { tools }: AccessRow, tool: string | undefined): boolean {
  if (tools === undefined) return true
  if (tool === undefined) return false
  return tools.some(
    (one) => one === tool || (starMatches(one, tool) && (kind === 'never' || isPlainName(tool))),
  )
}

/** What the row gives on this server, or denies: a scope that is denied takes those that imply it along. */
function scopesOf(kind: Kind, server: ServerPolicy, row: AccessRow): ReadonlySet<string> {
  if (kind === 'may') return impliedScopes(server, row.may)
  const all = [...server.scopes.keys()]
  return new Set(all.filter((scope) => row.never.some((no) => impliedScopes(server, [scope]).has(no))))
}

function lets(server: ServerPolicy, row: Row, client: ClientIdentity): boolean {
  const isBare = row.servers !== undefined && row.never.length === 0
  return (scopesOf('may', server, row).size > 0 || isBare) && coversClient('may', row.client, client)
}

function isOffered(view: View, { server, rows, who }: Asked, scope: string): boolean {
  const isDenied = rows.some(
    (row) =>
      coversClient('never', row.client, who.client) &&
      row.tools === undefined &&
      scopesOf('never', server, row).has(scope) &&
      applies('never', row, view),
  )
  const isGiven = rows.some(
    (row) =>
      lets(server, row, who.client) && scopesOf('may', server, row).has(scope) && applies('may', row, view),
  )
  return isGiven && !isDenied
}

function decideWith(view: View, asked: Asked): Decision {
  const { server, rows, rule, who, tool } = asked
  for (const row of rows) {
    const denied = rule.scopes.find((scope) => scopesOf('never', server, row).has(scope))
    if (denied === undefined || !coversTool('never', row, tool)) continue
    if (!coversClient('never', row.client, who.client) || !applies('never', row, view)) continue
    const failed = row.answer.holds === 'failed' ? ', and its when cannot be evaluated' : ''
    return hidden(`access row ${row.number} says never ${denied}${failed}`)
  }
  const inReach = rows.filter((row) => lets(server, row, who.client) && coversTool('may', row, tool))
  const covering = inReach.filter((row) => applies('may', row, view))
  const gives = (row: Row, scope: string): boolean => scopesOf('may', server, row).has(scope)
  if (covering.length === 0) {
    return hidden(
      noRow(
        inReach.filter((row) => rule.scopes.length === 0 || rule.scopes.some((scope) => gives(row, scope))),
      ),
    )
  }
  const lacking = rule.scopes.find((scope) => !covering.some((row) => gives(row, scope)))
  if (lacking !== undefined) {
    const hint = wouldBe(inReach.filter((row) => gives(row, lacking)))
    return hidden(`no row of access gives ${lacking} to this user and client${hint}`)
  }
  const held = impliedScopes(
    server,
    [...who.scopes].filter((scope) => isOffered(view, asked, scope)),
  )
  const missing = rule.scopes.filter((scope) => !held.has(scope))
  const needs = `the line ${rule.match} needs ${rule.scopes.join(' ') || 'no scope'}`
  if (missing.length === 0) return { outcome: 'open', because: `${needs}; granted` }
  const because = `${needs}; the token lacks ${missing.join(' ')}`
  return { outcome: 'locked', because, needed: rule.scopes, missing }
}

const noRow = (rows: readonly Row[]): string => `no row of access is for this user and client${wouldBe(rows)}`

function wouldBe(rows: readonly Row[]): string {
  const words = rows.map(({ number, answer }) => {
    if (answer.holds === 'no') return `; row ${number} would, but its when does not hold`
    const why = `its when cannot be evaluated (${answer.why})`
    return answer.holds === 'failed' ? `; row ${number} would, but ${why}` : ''
  })
  return words.join('')
}

function findRule(server: ServerPolicy, call: Exclude<Call, { kind: 'session' }>): TargetRule | undefined {
  const [lines, value, isPlain] =
    call.kind === 'resource'
      ? [server.resources, call.uri, isPlainUri]
      : [call.kind === 'tool' ? server.tools : server.prompts, call.name, isPlainName]
  const first = lines.find(({ match }) => starMatches(match, value))
  return first === undefined || first.match === value || isPlain(value) ? first : undefined
}

const isPlainName = (name: string): boolean => /^[!-~]{1,128}$/.test(name)

const isPlainUri = (uri: string): boolean =>
  /^[^\0- \\\x7f]{1,8192}$/.test(uri) && !/(^|[/?#])\.{1,2}($|[/?#])/.test(decodeURI(uri))

function starMatches(pattern: string, value: string): boolean {
  const source = pattern.split('*').map((piece) => piece.replace(/[^a-z0-9]/gi, '\\$&'))
  return new RegExp(`^${source.join('[^]*')}$`).test(value)
}
