import type { Page, Response } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath } from '../e2e/person.ts'
import { bob, decide, logIn, openScene, owner, type Scene } from './scene.ts'

describe.skipIf(browserPath === undefined)(
  'pages at http://localhost in a real browser (skipped only where no Chromium is installed)',
  () => {
    let scene: Scene
    let client: string

    beforeAll(async () => {
      scene = await openScene({ secure: false })
      client = await scene.register()
    })

    afterAll(async () => {
      await scene?.stop()
    })

    const grantsOf = (clientId: string) => scene.store.grants.list({ clientId })
    const textOf = async (page: Page): Promise<string> => (await page.locator('body').innerText()) ?? ''
    const atCallback = (page: Page): URLSearchParams => {
      expect(page.url()).toContain(scene.elsewhere.url('/callback'))
      return new URL(page.url()).searchParams
    }

    /** A new profile on the consent page of a client. */
    const openConsent = async (clientId = client, overrides = {}): Promise<Page> => {
      const page = await (await scene.newProfile()).newPage()
      await page.goto(scene.authorizeUrl(clientId, overrides))
      await logIn(page)
      return page
    }

    const openAccount = async (who = owner): Promise<Page> => {
      const page = await (await scene.newProfile()).newPage()
      await page.goto(`${scene.issuer}/account`)
      await logIn(page, who)
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      return page
    }

    /** Presses a button and answers the status of the page that comes. */
    const press = async (page: Page, button: string): Promise<number> => {
      const answered = page.waitForResponse((response) => response.request().method() === 'POST')
      await page.locator('main').hover()
      await page.locator(button).first().click()
      return (await answered).status()
    }

    /** What another origin's page does to us, once it is opened in this profile. */
    const openAttack = async (page: Page, html: string, host: 'localhost' | '127.0.0.1'): Promise<Page> => {
      const path = `/attack-${Math.random().toString(36).slice(2)}`
      scene.elsewhere.serve(path, html)
      const attack = await page.context().newPage()
      await attack.goto(scene.elsewhere.url(path, host))
      return attack
    }

    const autoForm = (action: string, fields: Record<string, string>, target = '_self'): string => {
      const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`)
      return `<form method="post" action="${action}" target="${target}">${inputs.join('')}</form><script>document.forms[0].submit()</script>`
    }

    test('F25 the consent page shows who, where to, which server, each scope in words, "unverified", and how long', async () => {
      const page = await openConsent(client, { scope: 'notes:read notes:write notes:env' })
      const text = await textOf(page)
      for (const words of ['Browser test', 'unverified', new URL(scene.elsewhere.url('/')).host, scene.notes])
        expect(text).toContain(words)
      for (const words of [
        'Read notes',
        'Change notes',
        'Read the environment of the server',
        '30 days',
        owner.email,
      ])
        expect(text).toContain(words)
      expect(await page.locator('input[value="notes:env"]').isChecked()).toBe(false)
      expect(await page.locator('input[value="notes:write"]').isChecked()).toBe(true)
    })

    test('F14 deny goes back with access_denied and iss, and nothing is granted', async () => {
      const id = await scene.register()
      const page = await openConsent(id)
      await decide(page, 'deny')
      const answer = atCallback(page)
      expect([answer.get('error'), answer.get('iss'), answer.get('state')]).toEqual([
        'access_denied',
        scene.issuer,
        'the-state',
      ])
      expect(await grantsOf(id)).toEqual([])
    })

    test('F13 allow and then Back and allow again: one grant, one code', async () => {
      const id = await scene.register()
      const page = await openConsent(id)
      await page.locator('main').hover()
      await page.locator('button[value=allow]').click()
      await page.waitForURL(/callback/)
      expect(atCallback(page).get('code')).toBeTruthy()
      await page.goBack()
      expect(await page.locator('button[value=allow]').count()).toBe(0)
      expect(await textOf(page)).toContain('ended')
      expect(await grantsOf(id)).toHaveLength(1)
    })

    test('F13 a double click allows once, whichever of the two answers the browser shows', async () => {
      const id = await scene.register()
      const page = await openConsent(id)
      await page.locator('main').hover()
      await page.locator('button[value=allow]').dblclick()
      // Not waitForURL: the second click ends the navigation of the first, which that takes for a failure.
      await expect.poll(() => page.url(), { timeout: 30_000 }).toMatch(/callback|\/consent$/)
      await page.waitForLoadState()
      if (!page.url().includes('callback')) expect(await textOf(page)).toContain('ended')
      expect(await grantsOf(id)).toHaveLength(1)
    })

    test.each([
      ['without a token', (input: HTMLInputElement) => input.remove()],
      ['with another token', (input: HTMLInputElement) => input.setAttribute('value', 'A'.repeat(43))],
    ])('F01 a consent form %s is refused, and grants nothing', async (_name, change) => {
      const id = await scene.register()
      const page = await openConsent(id)
      await page.locator('input[name=form_token]').evaluate(change)
      expect(await press(page, 'button[value=allow]')).toBe(403)
      expect(await grantsOf(id)).toEqual([])
    })

    test('F10 of two tabs with two clients, allowing one allows nothing to the other; what the form adds counts for nothing', async () => {
      const [one, two] = [await scene.register(), await scene.register()]
      const page = await openConsent(one)
      const tab = await page.context().newPage()
      await tab.goto(scene.authorizeUrl(two))
      await logIn(tab)
      const foreign = await tab.locator('input[name=form_token]').inputValue()
      await page.locator('form').evaluate((form, id) => {
        for (const [name, value] of [
          ['scope', 'notes:env'],
          ['client_id', id],
          ['resource', 'http://localhost/other'],
        ] as const) {
          const input = document.createElement('input')
          Object.assign(input, { type: 'hidden', name, value })
          form.append(input)
        }
      }, two)
      await decide(page, 'allow')
      expect(atCallback(page).get('code')).toBeTruthy()
      expect((await grantsOf(one)).map(({ scopes, resource }) => [scopes, resource])).toEqual([
        [['notes:read'], scene.notes],
      ])
      expect(await grantsOf(two)).toEqual([])
      // Nor does the token of one tab open the form of another.
      const third = await openConsent(one)
      await third.locator('input[name=form_token]').evaluate((input: HTMLInputElement, value) => {
        input.value = value
      }, foreign)
      expect(await press(third, 'button[value=allow]')).toBe(403)
    })

    test('F02 a form that another site submits is refused, also with the right token: same site, other site, Origin null', async () => {
      const id = await scene.register()
      const page = await openConsent(id)
      const action = `${page.url()}/consent`
      const token = await page.locator('input[name=form_token]').inputValue()
      const form = (target?: string): string =>
        autoForm(action, { form_token: token, decision: 'allow' }, target)
      const framed = `<iframe sandbox="allow-scripts allow-forms allow-top-navigation" srcdoc='${form('_top')}'></iframe>`
      for (const [html, host] of [
        [form(), 'localhost'],
        [form(), '127.0.0.1'],
        [framed, 'localhost'],
      ] as const) {
        const attack = await openAttack(page, html, host)
        await attack.waitForURL(action)
        expect(await attack.locator('h1').innerText()).toContain('This cannot go on')
        await attack.close()
      }
      expect(await grantsOf(id)).toEqual([])
      // The page itself goes on.
      await decide(page, 'allow')
      expect(await grantsOf(id)).toHaveLength(1)
    })

    test('F03 no page of ours can be framed, and a window that opened one loses it', async () => {
      const page = await (await scene.newProfile()).newPage()
      const addresses = [
        scene.authorizeUrl(client),
        `${scene.issuer}/account`,
        `${scene.issuer}/nothing-here`,
      ]
      const frames = addresses
        .map((url) => `<iframe src="${url.replaceAll('&', '&amp;')}"></iframe>`)
        .join('')
      const attack = await openAttack(page, `<p>bait</p>${frames}`, 'localhost')
      expect(await attack.locator('iframe').count()).toBe(3)
      const framed = attack.frames().slice(1)
      await Promise.all(framed.map((frame) => frame.waitForURL(/^chrome-error:/)))
      const [popup] = await Promise.all([
        attack.waitForEvent('popup'),
        attack.evaluate((url) => void Object.assign(window, { bait: window.open(url) }), addresses[1]),
      ])
      await popup.getByRole('heading', { name: 'Sign in' }).waitFor()
      expect(await popup.evaluate(() => window.opener)).toBeNull()
      expect(await attack.evaluate(() => (window as unknown as { bait: Window }).bait.closed)).toBe(true)
    })

    test('F05 no parameter and no path sends the browser elsewhere', async () => {
      const page = await openAccount()
      const { pathname } = new URL(page.url())
      const evil = [
        '//evil.example',
        '/\\evil.example',
        'https:evil.example',
        '%2f%2fevil.example',
        'x\r\nLocation: //evil',
      ]
      for (const value of evil) {
        const query = new URLSearchParams({
          return_to: value,
          done: value,
          post_logout_redirect_uri: value,
          next: value,
        })
        for (const path of [pathname, '/account', '//evil.example/account', '/account//evil.example'])
          await page.goto(`${scene.issuer}${path}?${query}`)
        expect(new URL(page.url()).origin).toBe(scene.issuer)
        expect(await textOf(page)).not.toContain('evil')
      }
    })

    test('F22 an untrusted redirect is text at most: no link, no way onward', async () => {
      const page = await (await scene.newProfile()).newPage()
      const answer = await page.goto(scene.authorizeUrl(client, { redirect_uri: 'https://evil.example/cb' }))
      expect(answer?.status()).toBe(400)
      expect(await page.locator('a, form, meta[http-equiv=refresh], button').count()).toBe(0)
      expect(new URL(page.url()).origin).toBe(scene.issuer)
    })

    test('F17 an unknown address and a wrong password look the same', async () => {
      const looks: unknown[] = []
      for (const email of [bob.email, 'nobody@example.com']) {
        const page = await (await scene.newProfile()).newPage()
        await page.goto(`${scene.issuer}/account`)
        const answered = page.waitForResponse((response) => response.request().method() === 'POST')
        await logIn(page, { email, password: 'not the password' })
        const response = await answered
        const html = (await page.content()).replaceAll(email, 'EMAIL')
        looks.push([
          response.status(),
          response.headers()['set-cookie'],
          html.replaceAll(/[A-Za-z0-9_-]{22,}/g, 'RANDOM'),
        ])
      }
      expect(looks[1]).toEqual(looks[0])
      expect(JSON.stringify(looks[0])).toContain('E-mail or password is not right')
    })

    test('F21 F26 after signing out, Back shows nothing, and nobody else can sign the user out', async () => {
      const page = await openAccount()
      const visit = page.url()
      const token = await page.locator('input[name=form_token]').first().inputValue()
      const attack = await openAttack(page, autoForm(`${visit}/sign-out`, { form_token: token }), 'localhost')
      await attack.waitForURL(/sign-out/)
      expect(await textOf(attack)).toContain('This cannot go on')
      await page.reload()
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
      await page.goBack()
      expect(await textOf(page)).not.toContain(owner.email)
      await page.goto(visit)
      expect(await textOf(page)).not.toContain(owner.email)
    })

    test('C31 a person narrows and revokes on the account page', async () => {
      const id = await scene.register()
      const consent = await openConsent(id, { scope: 'notes:read notes:write' })
      await decide(consent, 'allow')
      const page = await openAccount()
      const [grant] = await grantsOf(id)
      const card = page.locator('section.grant').filter({ has: page.locator(`input[value="${grant?.id}"]`) })
      await card.getByText('Look closer or change').click()
      await card.locator('input[value="notes:write"]').uncheck()
      await card.getByRole('button', { name: 'Save' }).click()
      await page.getByText('Saved.').waitFor()
      expect((await grantsOf(id))[0]?.scopes).toEqual(['notes:read'])
      await card.getByRole('button', { name: 'Revoke all access' }).click()
      await page.getByText('Revoked.').waitFor()
      expect((await grantsOf(id))[0]?.revokedBecause).toBe('by the user')
      expect(await card.count()).toBe(0)
    })

    test('F15 the form of one account does nothing in the visit of another', async () => {
      const page = await openAccount(bob)
      const stale = await page.locator('input[name=form_token]').first().inputValue()
      const other = await openAccount()
      await other
        .locator('form[action$=sign-out] input[name=form_token]')
        .evaluate((input: HTMLInputElement, value) => {
          input.value = value
        }, stale)
      expect(await press(other, 'form[action$=sign-out] button')).toBe(403)
    })

    test('decision 10: no cookie of ours reaches another port', async () => {
      const page = await openConsent()
      await decide(page, 'allow')
      const account = await openAccount()
      for (const path of ['/', '/callback', '/account', '/authorize', '/account/login'])
        await account.goto(scene.elsewhere.url(path))
      expect(scene.elsewhere.seen.length).toBeGreaterThan(5)
      expect(scene.elsewhere.seen.filter(({ cookie }) => cookie !== undefined)).toEqual([])
    })

    test('F30 no path leads to a file', async () => {
      const page = await (await scene.newProfile()).newPage()
      for (const path of [
        '/assets/..%2f..%2fetc/passwd',
        '/assets/%252e%252e/etc/passwd',
        '/..%5c..%5cetc/passwd',
      ]) {
        const answer = await page.goto(`${scene.issuer}${path}`)
        expect([path, answer?.status()]).toEqual([path, 404])
        expect(await textOf(page)).not.toContain('root:')
      }
    })

    test('F31 F21 errors carry the headers of a page that went well, and nothing is cached', async () => {
      const { request } = await scene.newProfile()
      const well = await request.get(`${scene.issuer}/account`)
      const form = { headers: { origin: scene.issuer, 'content-type': 'application/x-www-form-urlencoded' } }
      const visit = well.url()
      const bad = [
        await request.get(`${scene.issuer}/nothing-here`, { headers: { accept: 'text/html' } }),
        await request.get(scene.authorizeUrl('unknown-client')),
        await request.post(visit, form),
        await request.post(`${visit}/login`, { ...form, data: `a=${'x'.repeat(20_000)}` }),
        await request.post(`${visit}/login`, { ...form, data: `a=${'x'.repeat(70_000)}` }),
      ]
      expect(bad.map((answer) => answer.status())).toEqual([404, 400, 405, 413, 413])
      expect(well.headers()['content-security-policy']).toContain("default-src 'none'")
      expect(well.headers()['cache-control']).toBe('no-store')
      const names = [
        'x-frame-options',
        'cross-origin-opener-policy',
        'x-content-type-options',
        'cache-control',
      ]
      for (const answer of bad) {
        expect(answer.headers()['content-security-policy']).toContain("frame-ancestors 'none'")
        expect(answer.headers()['content-security-policy']).toContain("default-src 'none'")
        for (const name of names) expect([name, answer.headers()[name]]).toEqual([name, well.headers()[name]])
      }
    })

    test('no page met the limits of its content security policy, and one that meets them is noticed', async () => {
      expect(scene.violations).toEqual([])
      const page = await (await scene.newProfile()).newPage()
      await page.goto(`${scene.issuer}/account`)
      await page.evaluate(() => document.body.append(Object.assign(new Image(), { src: '/picture' })))
      await expect.poll(() => scene.violations.length).toBeGreaterThan(0)
    })

    test('F18 guessing is slowed down for the account, and its owner comes in when the time is over', async () => {
      const page = await (await scene.newProfile()).newPage()
      await page.goto(`${scene.issuer}/account`)
      let refused: Response | undefined
      for (let guess = 0; guess < 12 && refused === undefined; guess += 1) {
        const answered = page.waitForResponse((response) => response.request().method() === 'POST')
        await logIn(page, { email: owner.email, password: `guess number ${guess}` })
        const response = await answered
        if (response.status() === 429) refused = response
      }
      expect(refused?.status()).toBe(429)
      expect(await textOf(page)).toContain('Too many attempts')
      const seconds = Number(refused?.headers()['retry-after'])
      await new Promise((resolve) => setTimeout(resolve, (seconds + 1) * 1_000))
      await logIn(page)
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
    })
  },
)
