import fc from 'fast-check'
import { expect } from 'vitest'
import type { Shown } from '../../../packages/authorization-server/test/browser.ts'
import {
  authorizeUrl,
  callback,
  password,
  register,
} from '../../../packages/authorization-server/test/start.ts'
import { type Command, command, pick } from '../command.ts'
import {
  type Client,
  isUsable,
  type Model,
  minute,
  offered,
  saidBy,
  scopeNames,
  second,
  sessionOf,
  type Tab,
  type User,
  type Visit,
} from '../model.ts'
import type { World } from '../world.ts'

const documentRedirect = 'https://app.example/cb'
const sessionMs = 8 * 60 * minute
const secretsKept = 4

const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')
const isLogin = (page: Shown): boolean => page.html.includes('name="password"')

export function registerCommand(): Command {
  return command(
    'register',
    (m) => m.clients.length < 4,
    async (m, { w }) => {
      const answer = await register(w, { client_name: 'Test client', redirect_uris: [callback] })
      expect(answer.status).toBe(201)
      const { client_id: id } = (await answer.json()) as { client_id: string }
      m.clients.push({ id, kind: 'registered', redirectUri: callback, disabled: false, swept: false })
      return []
    },
  )
}

/** The client of a document that is served by this test. */
export function documentClient({ documents }: World): Client {
  const metadata = { redirect_uris: [documentRedirect] }
  const id = documents.add('client', metadata, { 'cache-control': 'max-age=86400' })
  return { id, kind: 'document', redirectUri: documentRedirect, disabled: false, swept: false }
}

/** Signs in on a page that asks for it, and says which events that makes. */
export async function signInOn(
  m: Model,
  tab: Tab,
  user: User,
  page: Shown,
): Promise<{ page: Shown; signedIn: boolean; events: string[] }> {
  const shown = await tab.browser.submit(page, { email: user.email, password })
  if (user.disabled) {
    expect(shown.status).toBe(403)
    m.failedLogins += 1
    return { page: shown, signedIn: false, events: [] }
  }
  const events = [...(tab.session === undefined ? [] : ['session.ended']), 'session.begun']
  tab.session = { user, expiresAt: m.now + sessionMs }
  tab.rotations += 1
  return { page: shown, signedIn: true, events }
}

interface Asking {
  readonly client: number
  readonly tab: number
  readonly user: number
  readonly asked: readonly string[]
}

/** Opens an authorization request up to its consent page; a remembered yes or a no of the policy ends it at once. */
export function askCommand({ client: at, tab: tabAt, user: userAt, asked }: Asking): Command {
  return command(
    `ask(client ${at}, browser ${tabAt}, user ${userAt}, ${asked.join(' ') || 'nothing'})`,
    (m) => m.clients.length > 0 && m.failedLogins < 3,
    async (m, world) => {
      const { w } = world
      const client = pick(m.clients, at)
      const tab = pick(m.browsers, tabAt)
      const wanted = pick(m.users, userAt)
      if (client === undefined || tab === undefined || wanted === undefined) return []
      const scope = asked.length === 0 ? null : asked.join(' ')
      const url = authorizeUrl(w, client.id, { redirect_uri: client.redirectUri, scope })
      let page = await tab.browser.open(url)
      if (!isUsable(client)) {
        expect([page.left, page.status >= 400]).toEqual([undefined, true])
        return []
      }
      const expiresAt = m.now + 10 * minute
      const events: string[] = []
      let user = sessionOf(m, tab)
      if (user === undefined) {
        expect(isLogin(page)).toBe(true)
        const signIn = await signInOn(m, tab, wanted, page)
        if (!signIn.signedIn) return []
        events.push(...signIn.events)
        page = signIn.page
        user = wanted
      }
      events.push('transaction.signed-in')
      const offer = offered(user, asked)
      const said = saidBy(m, user, client)
      if (offer.length === 0) {
        expect(page.left?.searchParams.get('error')).toBe('access_denied')
        return [...events, 'transaction.denied']
      }
      if (client.kind === 'document' && offer.every((name) => said.get(name) === 'granted')) {
        await takeCode(m, world, page, { client, user, scopes: offer })
        return [...events, 'transaction.granted']
      }
      expect(isConsent(page), `a consent page, not ${page.left ?? page.status}`).toBe(true)
      const visit = { page, tab, client, user, asked, expiresAt, rotation: tab.rotations, ended: false }
      m.visits.push(visit)
      return events
    },
  )
}

/** Notes the grant of a code. The store is asked for its id alone: what else stands there is compared by the invariants. */
async function takeCode(
  m: Model,
  { w }: World,
  { left }: Shown,
  { client, user, scopes }: { client: Client; user: User; scopes: readonly string[] },
): Promise<void> {
  const value = left?.searchParams.get('code')
  if (typeof value !== 'string') throw new Error(`no code: ${left}`)
  const known = new Set(m.grants.map(({ id }) => id))
  const fresh = (await w.store.grants.list({})).filter(({ id }) => !known.has(id))
  expect(fresh.length, 'one consent makes one grant').toBe(1)
  m.grants.push({
    id: fresh[0]?.id ?? '',
    user,
    client,
    createdAt: m.now,
    code: { value, expiresAt: m.now + 60 * second },
    chain: [],
    consented: new Set(scopes),
    scopes,
    redeemed: false,
    wrongVerifiers: 0,
    revoked: false,
    codeSwept: false,
    swept: false,
  })
}

/** What was allowed is remembered of a client that somebody vouches for, what was switched off of all. */
function remember(
  said: Map<string, 'granted' | 'declined'>,
  { kind }: Client,
  offer: readonly string[],
  granted: readonly string[],
): void {
  for (const name of offer) {
    if (!granted.includes(name)) said.set(name, 'declined')
    else if (kind === 'document') said.set(name, 'granted')
    else said.delete(name)
  }
}

function isAnswerable(m: Model, visit: Visit): boolean {
  return (
    !visit.ended &&
    visit.expiresAt > m.now &&
    visit.tab.rotations - visit.rotation < secretsKept &&
    sessionOf(m, visit.tab) === visit.user
  )
}

/** Sends the form of an open consent page, whatever has happened since it was shown; also a second time. */
export function answerCommand(at: number, press: 'allow' | 'deny', on: readonly string[]): Command {
  return command(
    `answer(page ${at}, ${press} ${on.join(' ')})`,
    (m) => m.visits.length > 0,
    async (m, world) => {
      const visit = pick(m.visits.toReversed(), at)
      if (visit === undefined) return []
      const { tab, client, user, page } = visit
      const answerable = isAnswerable(m, visit)
      const shown = await tab.browser.submit(page, { decision: press, scope: on })
      if (!answerable) {
        expect([shown.left, shown.status >= 400], 'a page that is over').toEqual([undefined, true])
        return []
      }
      visit.ended = true
      const offer = offered(user, visit.asked)
      const granted = offer.filter((name) => name === 'notes:read' || on.includes(name))
      const said = saidBy(m, user, client)
      if (press === 'deny' || granted.length === 0) {
        expect(shown.left?.searchParams.get('error')).toBe('access_denied')
        if (press === 'allow') for (const name of offer) said.set(name, 'declined')
        return ['transaction.denied']
      }
      const isFirst = client.kind === 'registered' && !m.grants.some((grant) => grant.client === client)
      await takeCode(m, world, shown, { client, user, scopes: granted })
      remember(said, client, offer, granted)
      return [...(isFirst ? ['client.added'] : []), 'transaction.granted']
    },
  )
}

const someScopes = fc.constantFrom<readonly string[]>(
  [],
  ['notes:read'],
  ['notes:read', 'notes:write'],
  ['notes:write'],
  ['notes:admin'],
  scopeNames,
)

export const registering: fc.Arbitrary<Command> = fc.constant(null).map(registerCommand)
export const asking: fc.Arbitrary<Command> = fc
  .record({
    client: fc.nat(5),
    tab: fc.nat(1),
    user: fc.constantFrom(0, 0, 0, 1),
    asked: someScopes,
  })
  .map(askCommand)
export const answering: fc.Arbitrary<Command> = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 1, 2, 3),
    fc.constantFrom('allow' as const, 'allow' as const, 'allow' as const, 'deny' as const),
    someScopes,
  )
  .map(([at, press, on]) => answerCommand(at, press, on))
