import { hash } from '@node-rs/argon2'
import type { Store } from '@warder/store'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Shown } from './browser.ts'
import {
  authorizeUrl,
  openConsent,
  ownerEmail,
  password,
  readerEmail,
  registerClient,
  signIn,
  startWarder,
  type Warder,
} from './start.ts'

const hasEnded = ({ status, html }: Shown): boolean =>
  status === 400 && html.includes('This sign-in has ended') && !html.includes('<form')
const hasForm = (page: Shown): boolean => page.html.includes('name="decision"')

describe.each(['http://localhost:8765', 'https://auth.example.test'])('at %s', (issuer) => {
  /** Happens once, between what the server read before and the next read of a user. */
  let meanwhile: (() => Promise<unknown>) | undefined
  /** Happens once, while the password that came is compared with the one that the server has just read. */
  let whileComparing: (() => Promise<unknown>) | undefined
  let w: Warder
  let client: string

  beforeEach(async () => {
    meanwhile = undefined
    whileComparing = undefined
    const between = (store: Store): Store => ({
      ...store,
      users: {
        ...store.users,
        async loadById(id) {
          const happens = meanwhile
          meanwhile = undefined
          await happens?.()
          return await store.users.loadById(id)
        },
        async loadByEmail(email) {
          const user = await store.users.loadByEmail(email)
          const happens = whileComparing
          whileComparing = undefined
          await happens?.()
          return user
        },
      },
    })
    w = await startWarder({ issuer, between })
    client = await registerClient(w)
  })

  test('F13 of two clicks on Deny one gets the answer, and the other is told that it ended', async () => {
    const { browser, page } = await openConsent(w, client)
    const answers = await Promise.all([1, 2].map(() => browser.submit(page, { decision: 'deny' })))
    expect(answers.filter(({ left }) => left?.searchParams.get('error') === 'access_denied')).toHaveLength(1)
    expect(answers.filter(hasEnded)).toHaveLength(1)
  })

  test('F13 of two sign-ins with one form one goes on, as who it is', async () => {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client))
    const send = (email: string): Promise<Shown> => browser.submit(login, { email, password })
    const answers = await Promise.all([send(ownerEmail), send(readerEmail)])
    expect(answers.filter(hasEnded)).toHaveLength(1)
    expect(answers.filter(hasForm)).toHaveLength(1)
  })

  test('a user who is disabled while a form is on its way gets nothing by it', async () => {
    const { browser, page } = await openConsent(w, client)
    meanwhile = () => w.store.users.setDisabled('wus_owner', true, w.clock.now)
    const answer = await browser.submit(page, { decision: 'allow' })
    expect([answer.status, answer.left]).toEqual([403, undefined])
    expect(await w.store.grants.list({ clientId: client })).toEqual([])
  })

  test('its twin: whatever else happens meanwhile, Allow is a code', async () => {
    const { browser, page } = await openConsent(w, client)
    meanwhile = () => w.store.users.setDisabled('wus_reader', true, w.clock.now)
    const { left } = await browser.submit(page, { decision: 'allow' })
    expect(left?.searchParams.has('code')).toBe(true)
  })

  const isWrong = ({ status, html, left }: Shown): boolean =>
    status === 403 && html.includes('name="password"') && left === undefined
  const setPassword = (user: string) => async () => {
    const another = await hash('another password', { memoryCost: 8, timeCost: 1 })
    await w.store.users.setPassword(user, another, w.clock.now)
  }
  const disable = (user: string) => () => w.store.users.setDisabled(user, true, w.clock.now)

  test.each([
    ['is replaced', setPassword],
    ['is of a user who is disabled', disable],
  ])('a password that %s while it is compared opens nothing, nor does its form', async (_, change) => {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client))
    whileComparing = change('wus_owner')
    const answer = await signIn(browser, login)
    expect(isWrong(answer)).toBe(true)
    expect(await w.store.sessions.list('wus_owner', w.clock.now)).toEqual([])
    expect(isWrong(await signIn(browser, answer))).toBe(true)
    // The same sign-in goes on for whoever has the right to it.
    expect(hasForm(await signIn(browser, answer, readerEmail))).toBe(true)
    expect(await w.store.grants.list({ clientId: client })).toEqual([])
  })

  test.each([
    ['is replaced', setPassword],
    ['is of a user who is disabled', disable],
  ])('nor does it open the account page when it %s', async (_, change) => {
    const browser = w.browser()
    const login = await browser.open(`${w.issuer}/account`)
    whileComparing = change('wus_owner')
    expect(isWrong(await signIn(browser, login))).toBe(true)
    expect(await w.store.sessions.list('wus_owner', w.clock.now)).toEqual([])
  })

  test('a sign-in that ends while its password is compared says so', async () => {
    const browser = w.browser()
    const login = await browser.open(authorizeUrl(w, client))
    whileComparing = async () => {
      w.clock.now += 601_000
    }
    expect(hasEnded(await signIn(browser, login))).toBe(true)
    expect(await w.store.sessions.list('wus_owner', w.clock.now)).toEqual([])
  })

  test('their twin: another user’s new password meanwhile changes nothing', async () => {
    const browser = w.browser()
    whileComparing = setPassword('wus_reader')
    const page = await signIn(browser, await browser.open(authorizeUrl(w, client)))
    expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
    const visitor = w.browser()
    whileComparing = setPassword('wus_reader')
    const account = await signIn(visitor, await visitor.open(`${w.issuer}/account`))
    expect([account.status, account.html.includes('name="password"')]).toEqual([200, false])
  })
})

test('a user who is disabled between the two writes of a sign-in has neither of them', async () => {
  let meanwhile: (() => Promise<unknown>) | undefined
  const between = (store: Store): Store => ({
    ...store,
    sessions: {
      ...store.sessions,
      async create(session) {
        await meanwhile?.()
        return await store.sessions.create(session)
      },
    },
  })
  const w = await startWarder({ issuer: 'https://auth.example.test', between })
  const client = await registerClient(w)
  const browser = w.browser()
  const login = await browser.open(authorizeUrl(w, client))
  meanwhile = () => w.store.users.setDisabled('wus_owner', true, w.clock.now)
  expect(hasEnded(await signIn(browser, login))).toBe(true)
  expect(await w.store.sessions.list('wus_owner', w.clock.now)).toEqual([])
  const again = await browser.open(authorizeUrl(w, client))
  expect(hasForm(await signIn(browser, again, readerEmail))).toBe(true)
})

test('of two pages that take over one session at once, one does; the other is told to begin again', async () => {
  const w = await startWarder({ issuer: 'https://auth.example.test' })
  const client = await registerClient(w)
  const browser = w.browser()
  const waiting = await browser.open(authorizeUrl(w, client))
  await signIn(browser, await browser.open(authorizeUrl(w, client)))
  const answers = await Promise.all([browser.open(waiting.url), browser.open(waiting.url)])
  expect(answers.filter(hasEnded)).toHaveLength(1)
  const [page] = answers.filter(hasForm)
  const { left } = await browser.submit(page as Shown, { decision: 'allow' })
  expect(left?.searchParams.has('code')).toBe(true)
})
