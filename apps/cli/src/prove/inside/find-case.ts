import {
  type AccessRow,
  basicScopes,
  type Call,
  type ClientClass,
  type Decision,
  decide,
  hasAccess,
  offeredScopes,
  type Policy,
  type Principal,
  type ServerPolicy,
} from '@warder/policy'
import type { Subject } from './prove-inside.ts'

/** A user and a client to whom the policy gives something, and what it says to them about the tools. */
export interface Case {
  readonly user: CaseUser
  readonly client: CaseClient
  /** All scopes that they may have. */
  readonly scopes: readonly string[]
  /** What they may do with all of them. */
  readonly open: Call
  /** A tool that opens with all of the scopes, but not with these. */
  readonly locked: { readonly tool: string; readonly scopes: readonly string[] } | undefined
  /** A tool that no scope opens for them. */
  readonly hidden: string | undefined
}

export interface CaseUser {
  readonly kind: 'owner' | 'user'
  /** E-mail address; of a foreign issuer the subject. */
  readonly name: string
}

export interface CaseClient {
  readonly class: ClientClass
  /** The id that a row names, or undefined where any id will do. */
  readonly id: string | undefined
}

const ownerEmail = 'owner@throwaway.invalid'
const anybody = 'somebody@throwaway.invalid'
const maxCandidates = 200
const maxTools = 500

/**
 * The user and client that show most of the policy, or undefined when it gives this server to nobody who could sign in to
 * the throwaway instance. Only chooses what is tried; whether the parts hold to it is what the attempts show.
 */
export function findCase({ policy, server, tools, issuer }: Subject): Case | undefined {
  let best: Case | undefined
  const candidates = findUsers(policy, issuer).flatMap((user) =>
    findClients(policy, issuer).map((client) => ({ user, client })),
  )
  for (const { user, client } of candidates.slice(0, maxCandidates)) {
    const found = describeCase({ policy, server, tools: tools.slice(0, maxTools), issuer }, user, client)
    if (found !== undefined && weight(found) > (best === undefined ? -1 : weight(best))) best = found
    if (best !== undefined && weight(best) === 3) break
  }
  return best
}

const weight = ({ open, locked, hidden }: Case): number =>
  Number(open.kind === 'tool') + Number(locked !== undefined) + Number(hidden !== undefined)

/** Users by whom rows of the matrix are met: the owner first. */
function findUsers({ access, groups }: Policy, issuer: string | undefined): readonly CaseUser[] {
  const names = access.flatMap(({ who }): readonly string[] => {
    if (who.kind === 'anyone') return [anybody]
    if (who.kind === 'group') return groups?.get(who.name) ?? []
    const isHere = who.kind === 'user' && (who.issuer === undefined || who.issuer === issuer)
    return isHere ? [who.name] : []
  })
  const named = [...new Set(names)].map((name): CaseUser => ({ kind: 'user', name }))
  if (issuer !== undefined) return named
  // Our own users are found by their address; ids are made when they are added.
  const addressed = named.filter(({ name }) => /^[^\s@A-Z]+@[^\s@A-Z]+$/.test(name))
  return [{ kind: 'owner', name: ownerEmail }, ...addressed]
}

/** Clients by which rows are met: a program on this computer first, then those that a row names. */
function findClients({ access }: Policy, issuer: string | undefined): readonly CaseClient[] {
  const named = access.map((row) => clientOf(row, issuer)).filter((client) => client !== undefined)
  const unnamed: CaseClient[] =
    issuer === undefined
      ? [
          { class: 'local', id: undefined },
          { class: 'self-registered', id: undefined },
          { class: 'pre-registered', id: undefined },
        ]
      : [{ class: 'self-registered', id: undefined }]
  const documents: CaseClient[] = access.some(({ client }) => client === 'document')
    ? [{ class: 'document', id: 'https://throwaway.invalid/client' }]
    : []
  return [...unnamed, ...named, ...(issuer === undefined ? documents : [])]
}

const words = ['any', 'local', 'self-registered', 'document', 'pre-registered']

function clientOf({ client }: AccessRow, issuer: string | undefined): CaseClient | undefined {
  if (client === undefined || words.includes(client)) return undefined
  // A foreign issuer's clients are known only where a row names them whole.
  if (issuer !== undefined) return client.includes('*') ? undefined : { class: 'pre-registered', id: client }
  const id = client.replaceAll('*', 'throwaway')
  if (/^https:\/\/[^/?#]+\/[^?#]/.test(id)) return { class: 'document', id }
  return client.includes('*') || client.includes('://') ? undefined : { class: 'pre-registered', id }
}

function describeCase(
  { policy, server, tools, issuer }: Subject,
  user: CaseUser,
  client: CaseClient,
): Case | undefined {
  const who = makeAsker(user, client, issuer)
  const scopes = offeredScopes(policy, server.name, who).map(({ name }) => name)
  if (scopes.length === 0 && (basicScopes(server).length > 0 || !hasAccess(policy, server.name, who)))
    return undefined
  const outcome = (call: Call, held: readonly string[]): Decision['outcome'] =>
    decide(policy, server.name, { ...who, scopes: new Set(held), tokenId: '', expiresAt: 0 }, call).outcome
  const toolCall = (name: string): Call => ({ kind: 'tool', name, args: {} })
  const list: Call = { kind: 'session', method: 'tools/list' }
  if (outcome(list, scopes) !== 'open') return undefined
  // A condition on arguments may let a tool be listed and not called, or the other way: such a one shows nothing clearly.
  const settled = (name: string, held: readonly string[]): Decision['outcome'] | undefined => {
    const called = outcome(toolCall(name), held)
    return called === outcome({ kind: 'tool', name }, held) ? called : undefined
  }
  const usable = tools.filter((name) => /^(?!=\?)[\x21-\x7e]{1,128}$/.test(name))
  const open = usable.filter((name) => settled(name, scopes) === 'open')
  return {
    user,
    client,
    scopes,
    open: open[0] === undefined ? list : toolCall(open[0]),
    locked: findLocked(server, open, scopes, settled),
    hidden: usable.find((name) => settled(name, scopes) === 'hidden'),
  }
}

/** A tool that is open with all scopes and locked with one of them alone. */
function findLocked(
  server: ServerPolicy,
  open: readonly string[],
  scopes: readonly string[],
  outcome: (tool: string, held: readonly string[]) => Decision['outcome'] | undefined,
): Case['locked'] {
  const basic = basicScopes(server)
  const narrowFirst = scopes.toSorted((a, b) => Number(basic.includes(b)) - Number(basic.includes(a)))
  for (const scope of narrowFirst) {
    const tool = open.find((name) => outcome(name, [scope]) === 'locked')
    if (tool !== undefined) return { tool, scopes: [scope] }
  }
  return undefined
}

function makeAsker(
  user: CaseUser,
  client: CaseClient,
  issuer: string | undefined,
): Pick<Principal, 'user' | 'client'> {
  const names = user.kind === 'owner' ? [user.name, 'owner'] : [user.name]
  return {
    user: { issuer: issuer ?? 'http://localhost', subject: user.name, names, groups: [] },
    client: { id: client.id ?? 'throwaway', class: client.class },
  }
}
