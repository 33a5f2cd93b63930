import type { Store } from '@warder/store'
import { expect, test } from 'vitest'
import { authorizeUrl, ownerEmail, password, registerClient, startWarder } from './start.ts'

/** The count of failed logins stands in the store; these are what a login does with it, and the password that leads there. */
const uses = [
  ['loadLoginBlock', 'wrong'],
  ['loadLoginBlock', password],
  ['countLoginFailure', 'wrong'],
  ['clearLoginFailures', password],
] as const

test.each(uses)(
  'U03 while %s fails the answer to the password "%s" is 503, and as ever when the store is back',
  async (operation, typed) => {
    let isAway = false
    const between = (store: Store): Store => {
      const work = store.users[operation] as (...given: unknown[]) => Promise<unknown>
      const users = {
        ...store.users,
        [operation]: (...given: unknown[]) =>
          isAway ? Promise.reject(new Error('disk I/O error')) : work(...given),
      }
      return { ...store, users }
    }
    const w = await startWarder({ between })
    const client = await registerClient(w)
    const attempt = async (): Promise<number> => {
      const browser = w.browser()
      const page = await browser.open(authorizeUrl(w, client))
      return (await browser.submit(page, { email: ownerEmail, password: typed })).status
    }
    isAway = true
    for (let time = 0; time < 6; time += 1) expect(await attempt()).toBe(503)
    isAway = false
    expect(await attempt()).toBe(typed === password ? 200 : 403)
  },
)
