import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { generate } from 'selfsigned'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { browserPath } from '../e2e/person.ts'
import { bob, decide, logIn, openScene, owner, type Scene } from './scene.ts'

describe.skipIf(browserPath === undefined)(
  'pages behind TLS in a real browser (skipped only where no Chromium is installed)',
  () => {
    let scene: Scene
    /** For this browser every name in `example` is this computer: no answer to `localhost` is ever remembered. */
    let browser: Browser
    let hop: Server

    beforeAll(async () => {
      scene = await openScene({ secure: true })
      browser = await chromium.launch({
        executablePath: browserPath ?? '',
        args: ['--no-sandbox', '--host-resolver-rules=MAP *.example 127.0.0.1'],
      })
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'app.example' }])
      // An application that sends the browser on at once, as those do that have a program on the desktop.
      hop = createServer({ cert, key }, (request, response) => {
        const { search } = new URL(request.url ?? '', 'https://app.example')
        response.writeHead(302, { location: onWeb('third.example', `/arrived${search}`) }).end()
      })
      await new Promise<void>((resolve) => hop.listen(0, '127.0.0.1', resolve))
    })

    afterAll(async () => {
      hop?.close()
      await browser?.close()
      await scene?.stop()
    })

    /** The address of the callback server under another name. */
    const onWeb = (host: string, path = '/callback'): string =>
      scene.elsewhere.url(path).replace('localhost', host)
    const hopUrl = (): string => `https://app.example:${(hop.address() as AddressInfo).port}/callback`

    const grantsOf = (clientId: string) => scene.store.grants.list({ clientId })
    const textOf = (page: Page): Promise<string> => page.locator('body').innerText()
    const asksForConsent = async (page: Page): Promise<boolean> =>
      (await page.locator('button[value=allow]').count()) > 0
    const sessionCookie = async (profile: BrowserContext) =>
      (await profile.cookies(scene.issuer)).find(({ name }) => name === '__Host-warder')

    /** A client whom the operator entered: its host is known, so a yes to it may be remembered. */
    const addKnownClient = async (id: string): Promise<string> => {
      const redirectUris = [onWeb('app.example'), onWeb('other.example'), hopUrl()]
      const metadata = {
        clientName: 'Known application',
        redirectUris,
        native: false,
        grantTypes: ['refresh_token'],
      }
      const client = { id, kind: 'pre-registered' as const, metadata: JSON.stringify(metadata) }
      await scene.store.clients.add({ ...client, now: Date.now() })
      return id
    }

    const askFor = (client: string, overrides: Record<string, string> = {}): string =>
      scene.authorizeUrl(client, { redirect_uri: onWeb('app.example'), ...overrides })

    const violations: string[] = []
    const newNamedProfile = async (): Promise<BrowserContext> => {
      const profile = await browser.newContext({ ignoreHTTPSErrors: true })
      profile.on('console', (message) => {
        if (/content security policy/i.test(message.text())) violations.push(message.text())
      })
      return profile
    }

    const signedInProfile = async (
      newProfile = scene.newProfile,
    ): Promise<{ profile: BrowserContext; page: Page }> => {
      const profile = await newProfile()
      const page = await profile.newPage()
      await page.goto(`${scene.issuer}/account`)
      await logIn(page)
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      return { profile, page }
    }

    test('decision 10: one __Host- cookie for the sign-in, and F18 one by which the browser is known', async () => {
      const { profile, page } = await signedInProfile()
      expect(await sessionCookie(profile)).toMatchObject({
        secure: true,
        httpOnly: true,
        sameSite: 'Lax',
        path: '/',
      })
      const [device, ...others] = (await profile.cookies(scene.issuer)).filter(
        ({ name }) => name !== '__Host-warder',
      )
      expect(others).toEqual([])
      expect(device).toMatchObject({
        name: '__Host-warder-device',
        secure: true,
        httpOnly: true,
        sameSite: 'Strict',
        path: '/',
      })
      await page.goto(scene.authorizeUrl(await scene.register()))
      expect(await asksForConsent(page)).toBe(true)
    })

    test('F06 a cookie that was planted before the sign-in is replaced, and worth nothing', async () => {
      const planted = { name: '__Host-warder', value: 'A'.repeat(43), url: scene.issuer, secure: true }
      const [victim, attacker] = [await scene.newProfile(), await scene.newProfile()]
      await victim.addCookies([planted])
      await attacker.addCookies([planted])
      const page = await victim.newPage()
      await page.goto(`${scene.issuer}/account`)
      await logIn(page)
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      expect((await sessionCookie(victim))?.value.startsWith(planted.value)).toBe(false)
      const thief = await attacker.newPage()
      await thief.goto(page.url())
      expect(await textOf(thief)).not.toContain(owner.email)
      expect(await thief.getByRole('heading', { name: 'Sign in' }).count()).toBe(1)
    })

    test('F07 signed in, and with a yes to another client: a new client has its own consent page', async () => {
      const { page } = await signedInProfile()
      const [first, second] = [await scene.register(), await scene.register()]
      await page.goto(scene.authorizeUrl(first))
      await decide(page, 'allow')
      await page.goto(scene.authorizeUrl(second))
      expect(await asksForConsent(page)).toBe(true)
      expect(await grantsOf(second)).toEqual([])
    })

    test('F03 the second click of a double click that began elsewhere allows nothing', async () => {
      const { page } = await signedInProfile()
      const id = await scene.register()
      const posts: string[] = []
      page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()))
      await page.mouse.move(1, 1)
      await page.goto(scene.authorizeUrl(id))
      await page.locator('button[value=allow]').scrollIntoViewIfNeeded()
      const box = await page.locator('button[value=allow]').boundingBox()
      const place = [(box?.x ?? 0) + 10, (box?.y ?? 0) + 10] as const
      // The site that put our page here closes its own window over it between the two clicks.
      await Promise.all([page.mouse.move(...place), page.mouse.down(), page.mouse.up()])
      await page.waitForTimeout(300)
      expect(posts).toEqual([])
      expect(await asksForConsent(page)).toBe(true)
      await decide(page, 'allow')
      expect(posts).toHaveLength(1)
      expect(await grantsOf(id)).toHaveLength(1)
      // The keyboard is not slowed down.
      await page.goto(scene.authorizeUrl(id))
      await page.locator('button[value=allow]').focus()
      await page.keyboard.press('Enter')
      await page.waitForURL(/callback/)
      expect(await grantsOf(id)).toHaveLength(2)
    })

    test('F11 a remembered yes counts for the same request, and not for more, elsewhere, or another server', async () => {
      const { page } = await signedInProfile(newNamedProfile)
      const client = await addKnownClient('known-f11')
      await page.goto(askFor(client))
      await decide(page, 'allow')
      await page.goto(askFor(client))
      expect(page.url()).toContain('/callback?code=')
      for (const different of [
        { scope: 'notes:read notes:write' },
        { resource: scene.files, scope: 'files:read' },
        { redirect_uri: onWeb('other.example') },
      ]) {
        await page.goto(askFor(client, different))
        expect([different, await asksForConsent(page)]).toEqual([different, true])
      }
    })

    test('one consent page for two servers: the second needs no page of its own, and only when it was switched on', async () => {
      const { page } = await signedInProfile(newNamedProfile)
      for (const both of [true, false]) {
        const client = await addKnownClient(`known-both-${both}`)
        await page.goto(askFor(client))
        const other = page.locator(`input[name=server][value="${scene.files}"]`)
        expect(await other.isChecked()).toBe(false)
        if (both) await other.check()
        await decide(page, 'allow')
        await page.goto(askFor(client, { resource: scene.files, scope: 'files:read' }))
        expect(await asksForConsent(page)).toBe(!both)
        expect((await grantsOf(client)).map(({ resource }) => resource)).toEqual(
          both ? [scene.notes, scene.files] : [scene.notes],
        )
      }
    })

    test('an application may lead on to a third place, after Allow and after a sign-in whose yes is remembered', async () => {
      const client = await addKnownClient('known-hop')
      const asked = { redirect_uri: hopUrl() }
      const allowing = await signedInProfile(newNamedProfile)
      await allowing.page.goto(askFor(client, asked))
      await decide(allowing.page, 'allow')
      const returning = await (await newNamedProfile()).newPage()
      await returning.goto(askFor(client, asked))
      await logIn(returning)
      for (const page of [allowing.page, returning]) {
        const arrived = new URL(page.url())
        expect(page.url()).toBe(onWeb('third.example', `/arrived${arrived.search}`))
        expect(arrived.searchParams.get('code')).toMatch(/^wac_/)
        expect(await textOf(page)).toContain('callback received')
      }
      expect(await grantsOf(client)).toHaveLength(2)
    })

    test('F15 after another account signed in, the consent form of the first is out of date', async () => {
      const { profile, page } = await signedInProfile()
      const client = await scene.register()
      await page.goto(scene.authorizeUrl(client))
      const tab = await profile.newPage()
      await tab.goto(scene.authorizeUrl(client, { prompt: 'login' }))
      await logIn(tab, bob)
      const answered = page.waitForResponse((response) => response.request().method() === 'POST')
      await decide(page, 'allow')
      expect((await answered).status()).toBe(403)
      expect(await grantsOf(client)).toEqual([])
      await decide(tab, 'allow')
      expect((await scene.store.users.loadById((await grantsOf(client))[0]?.userId ?? ''))?.email).toBe(
        bob.email,
      )
    })

    test('F26 F21 signing out ends the session in every tab, and is nobody else’s to do', async () => {
      const { profile, page } = await signedInProfile()
      scene.elsewhere.serve(
        '/sign-out-attack',
        `<form method="post" action="${page.url()}/sign-out"></form><script>document.forms[0].submit()</script>`,
      )
      const attack = await profile.newPage()
      await attack.goto(scene.elsewhere.url('/sign-out-attack'))
      await attack.waitForURL(/\/sign-out$/)
      expect(await textOf(attack)).toContain('This cannot go on')
      await page.reload()
      await page.getByRole('heading', { name: 'Your account' }).waitFor()
      await page.getByRole('button', { name: 'Sign out' }).click()
      await page.getByRole('heading', { name: 'You are signed out' }).waitFor()
      expect(await sessionCookie(profile)).toBeUndefined()
      await page.goBack()
      expect(await textOf(page)).not.toContain(owner.email)
      await attack.goto(scene.authorizeUrl(await scene.register()))
      await attack.getByRole('heading', { name: 'Sign in' }).waitFor()
    })

    test('no page met the limits of its content security policy', () => {
      expect([...scene.violations, ...violations]).toEqual([])
    })
  },
)
