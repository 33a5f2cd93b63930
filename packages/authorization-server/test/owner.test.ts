import { expect, test } from 'vitest'
import { authorizeUrl, ownerEmail, password, registerClient, signIn, startWarder } from './start.ts'

const entered = { email: ' Owner@Example.test ', password, password_again: password }

test('S05 the owner link makes one owner, once, who then signs in; before, nobody can', async () => {
  const w = await startWarder({ withUsers: false })
  const client = await registerClient(w)
  const link = await w.server.createOwnerLink()
  expect(link).toMatch(/^http:\/\/localhost:8765\/owner\/[A-Za-z0-9_-]{43}$/)
  const browser = w.browser()

  const early = await browser.open(authorizeUrl(w, client))
  expect(early.status).toBe(400)
  expect(early.html).toContain('This server has no owner yet')

  // Opening the page does not use the link up.
  await browser.open(link)
  const page = await browser.open(link)
  expect(page.status).toBe(200)
  const done = await browser.submit(page, entered)
  expect(done.status).toBe(200)
  expect(await w.store.users.loadByEmail(ownerEmail)).toMatchObject({ role: 'owner' })
  expect((await w.store.users.loadByEmail(ownerEmail))?.passwordHash).toMatch(
    /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
  )

  expect((await browser.open(link)).status).toBe(400)
  expect((await browser.submit(page, entered)).status).toBe(400)
  await expect(w.server.createOwnerLink()).rejects.toMatchObject({ reason: 'owner.exists' })
  expect((await w.store.users.list()).length).toBe(1)

  const consent = await signIn(browser, await browser.open(authorizeUrl(w, client)))
  expect(consent.html).toContain('name="decision"')
})

test('F19 the link ends after 15 minutes, at a newer link, and is nothing when changed', async () => {
  const w = await startWarder({ withUsers: false })
  const browser = w.browser()
  const first = await w.server.createOwnerLink()
  const second = await w.server.createOwnerLink()
  expect((await browser.open(first)).status).toBe(400)
  expect((await browser.open(`${second.slice(0, -1)}_`)).status).toBe(400)
  const page = await browser.open(second)
  expect(page.status).toBe(200)
  w.clock.now += 15 * 60_000 + 1
  expect((await browser.open(second)).status).toBe(400)
  expect((await browser.submit(page, entered)).status).toBe(400)
  expect(await w.store.users.hasOwner()).toBe(false)
})

test('a form from elsewhere, without its token, or with a bad password makes no owner', async () => {
  const w = await startWarder({ withUsers: false })
  const browser = w.browser()
  const page = await browser.open(await w.server.createOwnerLink())
  for (const origin of ['https://evil.example', 'null', 'http://localhost:8766', null]) {
    expect((await browser.submit(page, entered, { origin })).status).toBe(403)
  }
  expect((await browser.submit(page, { ...entered, form_token: 'x' })).status).toBe(403)
  for (const wrong of [
    { ...entered, password: 'short', password_again: 'short' },
    { ...entered, password_again: `${password}x` },
    { ...entered, password: null },
    { ...entered, password: 'x'.repeat(1025), password_again: 'x'.repeat(1025) },
  ]) {
    const again = await browser.submit(page, wrong)
    expect(again.status).toBe(400)
    expect(again.html).toContain('between 12 and 1,024 characters')
    expect(again.html).not.toContain(password)
  }
  expect((await browser.submit(page, { ...entered, email: 'nobody' })).html).toContain(
    'not an e-mail address',
  )
  expect(await w.store.users.hasOwner()).toBe(false)
  expect((await browser.submit(page, entered)).status).toBe(200)
})

test('an e-mail address that a user has already keeps the link alive', async () => {
  const w = await startWarder({ withUsers: false })
  await w.store.users.add({ id: 'wus_early', email: ownerEmail, passwordHash: 'x', now: w.clock.now })
  const browser = w.browser()
  const page = await browser.open(await w.server.createOwnerLink())
  const again = await browser.submit(page, entered)
  expect([again.status, again.html.includes('belongs to a user already')]).toEqual([400, true])
  expect((await browser.submit(page, { ...entered, email: 'other@example.test' })).status).toBe(200)
})

test('S05 of two who use the link at once one becomes the owner', async () => {
  const w = await startWarder({ withUsers: false })
  const browser = w.browser()
  const page = await browser.open(await w.server.createOwnerLink())
  const answers = await Promise.all([
    browser.submit(page, entered),
    browser.submit(page, { ...entered, email: 'second@example.test' }),
  ])
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 400])
  expect((await w.store.users.list()).length).toBe(1)
})
