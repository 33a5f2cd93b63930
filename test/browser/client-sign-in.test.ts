import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type FakeBrowser, startFakeBrowser } from '../clients/fake-browser.ts'
import { createLoginHome, type LoginHome } from '../clients/login-program.ts'
import { browserPath } from '../e2e/person.ts'
import { decide, logIn, openScene, type Scene } from './scene.ts'

describe.skipIf(browserPath === undefined)(
  'warder login with a real browser (skipped only where no Chromium is installed)',
  () => {
    let scene: Scene
    let home: LoginHome
    let browser: FakeBrowser | undefined

    beforeAll(async () => {
      scene = await openScene({ secure: false })
    })

    afterAll(() => scene?.stop())

    beforeEach(() => {
      home = createLoginHome()
    })

    afterEach(() => {
      expect(browser?.failures ?? []).toEqual([])
      browser?.close()
      browser = undefined
      home.end()
    })

    /** What a person sees at the end of a sign-in. */
    interface LastPage {
      readonly page: Page
      readonly text: string
      readonly complaints: readonly string[]
    }

    /** The environment of a desktop on which this person follows every address. */
    const desktop = async (decision: 'allow' | 'deny', last: LastPage[]): Promise<Record<string, string>> => {
      browser = await startFakeBrowser(home.directory, async (link) => {
        const page = await (await scene.newProfile()).newPage()
        const complaints: string[] = []
        page.on('console', (message) => complaints.push(message.text()))
        await page.goto(link.href)
        await logIn(page)
        await decide(page, decision)
        last.push({ page, text: await page.locator('body').innerText(), complaints })
      })
      return { PATH: browser.env['PATH'] ?? '', DISPLAY: ':0' }
    }

    test('the person signs in, is told to go back, and is signed in at the terminal', async () => {
      const last: LastPage[] = []
      const { code, out, err } = await home.run(['login', scene.notes], { env: await desktop('allow', last) })
      expect([code, out], err).toEqual([0, expect.stringContaining('notes:read')])
      await expect.poll(() => last).toHaveLength(1)
      const [{ page, text, complaints }] = last as [LastPage]
      expect(text).toContain('You can close this tab')
      // An icon that the page does not have is asked for by the browser itself.
      expect(complaints.filter((words) => !words.includes('favicon'))).toEqual([])
      expect(new URL(page.url()).pathname).toBe('/callback')
      // The listener has gone, and the link of the start with it.
      const again = await page.goto(browser?.visited[0]?.href ?? '').catch(() => 'gone')
      expect(again).toBe('gone')
    })

    test('a person who says no: the page and the terminal say so, and nothing is stored', async () => {
      const last: LastPage[] = []
      const { code, err } = await home.run(['login', scene.notes], { env: await desktop('deny', last) })
      expect([code, err]).toEqual([1, expect.stringContaining('did not sign you in')])
      await expect.poll(() => last).toHaveLength(1)
      expect(last[0]?.text).toContain('Look at your terminal')
      expect(JSON.parse((await home.run(['status', '--json'])).out)).toEqual([])
    })

    test('--no-browser: the address is opened on another computer, whose last page is copied', async () => {
      const command = home.start(['login', scene.notes, '--no-browser'])
      const shown = /http:\S+\/authorize\?\S+/
      await expect.poll(command.said, { timeout: 20_000 }).toMatch(shown)
      const page = await (await scene.newProfile()).newPage()
      await page.goto(shown.exec(command.said())?.[0] ?? '')
      await logIn(page)
      // There, nothing listens at the address of the callback: all that is to be had is the address.
      let copied = ''
      await page.route('**/authorize/**', async (route) => {
        const answer = await route.fetch({ maxRedirects: 0 })
        copied = answer.headers()['location'] ?? ''
        await route.fulfill({ body: 'This site cannot be reached' })
      })
      await decide(page, 'allow')
      expect(copied).toContain('/callback?code=')
      command.child.stdin?.write(`${copied}\n`)
      const { code, out } = await command.ended
      expect([code, out]).toEqual([0, expect.stringContaining('You are signed in')])
    })

    test('Q09 Q10 a page elsewhere can neither end a sign-in nor read what the listener says', async () => {
      const command = home.start(['login', scene.notes, '--no-browser'])
      const shown = /http:\S+\/authorize\?\S+/
      await expect.poll(command.said, { timeout: 20_000 }).toMatch(shown)
      const url = new URL(shown.exec(command.said())?.[0] ?? '')
      const redirectUri = url.searchParams.get('redirect_uri') ?? ''
      const attack = await (await scene.newProfile()).newPage()
      scene.elsewhere.serve('/attack', '<p>attack</p>')
      await attack.goto(scene.elsewhere.url('/attack'))
      const tried = await attack.evaluate(async (target) => {
        const read = async (address: string, init: RequestInit = {}): Promise<string> =>
          fetch(address, init).then(
            (answer) => answer.text(),
            () => 'blocked',
          )
        const forged = `${target}?error=access_denied&state=guess`
        return [
          await read(forged),
          await read(forged, { mode: 'no-cors' }),
          await read(target, { method: 'POST', mode: 'no-cors', body: 'code=x' }),
        ]
      }, redirectUri)
      expect(tried).toEqual(['blocked', 'blocked', 'blocked'])
      expect(command.child.exitCode).toBeNull()
      await attack.goto(url.href)
      await logIn(attack)
      await decide(attack, 'allow')
      expect((await command.ended).code).toBe(0)
    })
  },
)
