import fc from 'fast-check'
import { expect } from 'vitest'
import type { Shown } from '../../../packages/authorization-server/test/browser.ts'
import { type Command, command, pick } from '../command.ts'
import {
  endGrant,
  forgetYes,
  type Grant,
  isInUse,
  type Model,
  saidBy,
  scopeNames,
  sessionOf,
} from '../model.ts'
import { signInOn } from './sign-in.ts'

const idsOn = (page: Shown): string[] => [
  ...new Set([...page.html.matchAll(/name="grant" value="([^"]+)"/g)].map(([, id = '']) => id)),
]

function formOf(page: Shown, id: string, decision: string): Shown {
  const forms = page.html.match(/<form.*?<\/form>/gs) ?? []
  const html = forms.find((form) => form.includes(id) && form.includes(`value="${decision}"`))
  return { ...page, html: html ?? '' }
}

/** Opens the account page, and there revokes one grant of the user or gives it other scopes. */
function accountCommand(
  tabAt: number,
  userAt: number,
  at: number,
  on: readonly string[] | undefined,
): Command {
  const what = on === undefined ? 'revoke' : `save ${on.join(' ')}`
  return command(
    `account(browser ${tabAt}, user ${userAt}, grant ${at}, ${what})`,
    (m) => m.failedLogins < 3,
    async (m, { w }) => {
      const tab = pick(m.browsers, tabAt)
      const wanted = pick(m.users, userAt)
      if (tab === undefined || wanted === undefined) return []
      const events: string[] = []
      let page = await tab.browser.open(`${w.issuer}/account`)
      let user = sessionOf(m, tab)
      if (user === undefined) {
        const signIn = await signInOn(m, tab, wanted, page)
        if (!signIn.signedIn) return []
        events.push(...signIn.events)
        page = signIn.page
        user = wanted
      }
      const own = m.grants.filter((grant) => grant.user === user && isInUse(m, grant))
      expect(idsOn(page).toSorted(), 'what the page shows').toEqual(own.map(({ id }) => id).toSorted())
      const grant = pick(own.toReversed(), at)
      if (grant === undefined) return events
      const decision = on === undefined ? 'revoke' : 'save'
      const form = formOf(page, grant.id, decision)
      // Who may have the basic scope alone has no switch to set.
      const hasSwitch = user.mayHave.some((name) => name !== 'notes:read' || !grant.scopes.includes(name))
      if (on !== undefined && !hasSwitch) {
        expect(form.html).toBe('')
        return events
      }
      const done = await tab.browser.submit(form, { grant: grant.id, decision, scope: on ?? [] })
      expect(done.status).toBe(200)
      return [...events, ...(on === undefined ? revoke(m, grant) : save(m, grant, on))]
    },
  )
}

function revoke(m: Model, grant: Grant): string[] {
  forgetYes(saidBy(m, grant.user, grant.client))
  return endGrant(grant)
}

function save(m: Model, grant: Grant, on: readonly string[]): string[] {
  const scopes = scopeNames.filter(
    (name) =>
      grant.user.mayHave.includes(name) &&
      (on.includes(name) || (name === 'notes:read' && grant.scopes.includes(name))),
  )
  if (scopes.length === 0) return revoke(m, grant)
  const removed = grant.scopes.filter((name) => !scopes.some((each) => each === name))
  const added = scopes.filter((name) => !grant.scopes.includes(name))
  if (removed.length + added.length === 0) return []
  const said = saidBy(m, grant.user, grant.client)
  for (const name of removed) said.set(name, 'declined')
  for (const name of added) if (said.get(name) === 'declined') said.delete(name)
  for (const name of added) grant.consented.add(name)
  grant.scopes = scopes
  return ['grant.changed']
}

export const visiting: fc.Arbitrary<Command> = fc
  .tuple(
    fc.nat(1),
    fc.constantFrom(0, 0, 0, 1),
    fc.nat(3),
    fc.constantFrom<(readonly string[] | undefined)[]>(
      undefined,
      [],
      ['notes:read'],
      ['notes:read', 'notes:write'],
      scopeNames,
    ),
  )
  .map(([tab, user, at, on]) => accountCommand(tab, user, at, on))
