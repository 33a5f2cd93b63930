import type { Owner } from './claim-owner.ts'
import { openBrowser, type ShownPage } from './scripted-sign-in.ts'

/** Opens the account page as this person, and saves the newest grant with these switches on. */
export async function saveGrant(issuer: string, person: Owner, switchOn: readonly string[]): Promise<void> {
  const browser = openBrowser(issuer)
  const page = await browser.submit(await browser.get(`${issuer}/account`), { ...person })
  const form = formOf(page, 'value="save"')
  const grant = /name="grant" value="([^"]+)"/.exec(form.html)?.[1] ?? ''
  const saved = await browser.submit(form, { grant, decision: 'save' }, switchOn)
  if (!saved.html.includes('Saved.')) throw new Error(`not saved: ${saved.html.slice(0, 500)}`)
}

/** The page with the one form that has this in it. */
function formOf(page: ShownPage, text: string): ShownPage {
  const html = page.html.match(/<form.*?<\/form>/gs)?.find((form) => form.includes(text))
  if (html === undefined) throw new Error(`no such form at ${page.url}`)
  return { ...page, html }
}
