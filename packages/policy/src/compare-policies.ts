import type { ChangeNotes } from './change-notes.ts'
import { compareAccess } from './compare-access.ts'
import { compareTargets } from './compare-targets.ts'
import type { Policy, ScopeRule, ServerPolicy } from './policy.ts'

/** What changes between two policies, one sentence each. */
export interface PolicyChanges {
  readonly wider: readonly string[]
  readonly narrower: readonly string[]
}

/**
 * Compares what two policies allow: scopes, tools, resources, prompts and rows of the matrix, server by server. Titles,
 * comments and the order of rows change nothing. Rather says too much than too little: what is narrower for anybody is always
 * among `narrower`, but something there may still be open by another way.
 */
export function comparePolicies(before: Policy, after: Policy): PolicyChanges {
  const wider = new Set<string>()
  const narrower = new Set<string>()
  const notes: ChangeNotes = {
    wider: (text) => void wider.add(text),
    narrower: (text) => void narrower.add(text),
  }
  for (const name of new Set([...before.servers.keys(), ...after.servers.keys()])) {
    const [old, now] = [before.servers.get(name), after.servers.get(name)]
    if (old === undefined) notes.wider(`server ${name} is new`)
    else if (now === undefined) notes.narrower(`server ${name} is gone`)
    else compareServers(old, now, notes)
  }
  compareGroups(before, after, notes)
  compareAccess(before, after, notes)
  return { wider: [...wider], narrower: [...narrower] }
}

function compareServers(before: ServerPolicy, after: ServerPolicy, notes: ChangeNotes): void {
  const { name } = after
  for (const scope of new Set([...before.scopes.keys(), ...after.scopes.keys()])) {
    compareScopes(before.scopes.get(scope), after.scopes.get(scope), {
      wider: (text) => notes.wider(`${name}: scope ${scope} ${text}`),
      narrower: (text) => notes.narrower(`${name}: scope ${scope} ${text}`),
    })
  }
  for (const what of ['tools', 'resources', 'prompts'] as const) compareTargets(what, before, after, notes)
  if (before.listLocked !== after.listLocked) {
    if (after.listLocked) notes.wider(`${name}: tools that a wider grant would open are listed`)
    else notes.narrower(`${name}: tools that a wider grant would open are no longer listed`)
  }
}

function compareScopes(
  before: ScopeRule | undefined,
  after: ScopeRule | undefined,
  notes: ChangeNotes,
): void {
  if (before === undefined) notes.wider('is new')
  else if (after === undefined) notes.narrower('is gone')
  else {
    const implied = after.implies.filter((scope) => !before.implies.includes(scope))
    const parted = before.implies.filter((scope) => !after.implies.includes(scope))
    for (const scope of implied) {
      notes.wider(`now implies ${scope}`)
      // A `never` of a scope also denies those that imply it.
      notes.narrower(`is now denied to whoever may never ${scope}`)
    }
    for (const scope of parted) {
      notes.narrower(`no longer implies ${scope}`)
      notes.wider(`is no longer denied to whoever may never ${scope}`)
    }
    if (after.basic && !before.basic) notes.wider('is now granted without being asked for')
    if (before.basic && !after.basic) notes.narrower('is no longer granted without being asked for')
  }
}

/** Who joins a group gains what its rows give, and loses what they or a condition on groups deny. */
function compareGroups(before: Policy, after: Policy, notes: ChangeNotes): void {
  const canDeny = [...before.access, ...after.access].some(
    ({ who, never, when }) => (who.kind === 'group' && never.length > 0) || when?.includes('groups') === true,
  )
  const names = new Set([...(before.groups?.keys() ?? []), ...(after.groups?.keys() ?? [])])
  for (const group of names) {
    const old = new Set(before.groups?.get(group))
    const now = new Set(after.groups?.get(group))
    const joined = [...now].filter((name) => !old.has(name))
    const left = [...old].filter((name) => !now.has(name))
    for (const name of joined) notes.wider(`user ${name} is now in the group ${group}`)
    for (const name of left) notes.narrower(`user ${name} is no longer in the group ${group}`)
    if (!canDeny) continue
    for (const name of joined) notes.narrower(`user ${name}, now in the group ${group}: what it is denied`)
    for (const name of left) notes.wider(`user ${name}, no longer in the group ${group}: what it is denied`)
  }
}
