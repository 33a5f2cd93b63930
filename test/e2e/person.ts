import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const candidates = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Where a real browser is installed on this machine, if anywhere. */
export const browserPath: string | undefined = candidates.find(
  (path) => path !== undefined && existsSync(path),
)

/** What a person says at the consent page. Scopes that are not named stay as the page proposes them. */
export interface Consent {
  readonly decision: 'allow' | 'deny'
  readonly switchOn?: readonly string[]
  readonly switchOff?: readonly string[]
}

/** A person with a real browser of their own. */
export interface Person {
  readonly context: BrowserContext
  /** Opens the owner link and chooses e-mail and password. */
  becomeOwner(link: string): Promise<void>
  /** Follows an authorization URL through login and consent, until the client's callback page is shown. */
  signIn(url: string, consent: Consent): Promise<void>
  leave(): Promise<void>
}

export async function createPerson(credentials: { email: string; password: string }): Promise<Person> {
  const browser: Browser = await chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox'],
  })
  const context = await browser.newContext()

  const logIn = async (page: Page): Promise<void> => {
    await page.getByLabel('E-mail').fill(credentials.email)
    await page.getByLabel('Password').fill(credentials.password)
    await page.getByRole('button', { name: 'Sign in' }).click()
  }

  return {
    context,
    async becomeOwner(link) {
      const page = await context.newPage()
      await page.goto(link)
      await page.locator('input[name=email]').fill(credentials.email)
      for (const field of await page.locator('input[type=password]').all())
        await field.fill(credentials.password)
      await page.getByRole('button').click()
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.close()
    },
    async signIn(url, consent) {
      const page = await context.newPage()
      await page.goto(url)
      await logIn(page)
      for (const scope of consent.switchOn ?? [])
        await page.locator(`input[name=scope][value="${scope}"]`).check()
      for (const scope of consent.switchOff ?? [])
        await page.locator(`input[name=scope][value="${scope}"]`).uncheck()
      // As a hand would: the pointer comes over the page first, and Allow takes clicks a moment later.
      await page.locator('main').hover()
      await page.locator(`button[name=decision][value=${consent.decision}]`).click()
      await page.getByText('callback received').waitFor()
      await page.close()
    },
    leave: () => browser.close(),
  }
}
