import { type Policy, readPolicy } from '@warder/policy'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  exchange,
  openConsent,
  policyText,
  readerEmail,
  registerClient,
  startWarder,
  type Tokens,
  type Warder,
} from './start.ts'

const readOnly = readPolicy(
  policyText.replace('may: [notes:read, notes:write, notes:admin]', 'may: [notes:read]'),
)
const withoutReader = readPolicy(policyText.replace(/.*\{ user: reader.*\n/, ''))

let w: Warder
let client: string
let changed: Policy | undefined
beforeEach(async () => {
  changed = undefined
  w = await startWarder({ betweenPolicy: (policy) => changed ?? policy })
  client = await registerClient(w)
})

test('rules that take everything away while the consent page is open leave Allow nothing to grant', async () => {
  const { browser, page } = await openConsent(w, client, {}, readerEmail)
  changed = withoutReader
  const { left } = await browser.submit(page, { decision: 'allow' })
  expect(left?.searchParams.get('error')).toBe('access_denied')
  expect(left?.searchParams.has('code')).toBe(false)
  expect(await w.store.grants.list({ clientId: client })).toEqual([])
})

test('rules that take a part away while the consent page is open leave the rest', async () => {
  const asked = { scope: 'notes:read notes:write' }
  const { browser, page } = await openConsent(w, client, asked)
  changed = readOnly
  const { left } = await browser.submit(page, { decision: 'allow', scope: ['notes:write'] })
  const answer = await exchange(w, client, left?.searchParams.get('code') ?? '')
  expect(((await answer.json()) as Tokens).scope).toBe('notes:read')
})

test('a form that does not tell what its page showed leads back to the page', async () => {
  const { browser, page } = await openConsent(w, client)
  const [token = ''] = (/name="form_token" value="([^"]+)"/.exec(page.html)?.[1] ?? '').split('.')
  for (const form_token of [token, `${token}.`, `${token}.${'A'.repeat(16)}`]) {
    const again = await browser.submit(page, { decision: 'allow', form_token })
    expect([again.left, again.html.includes('name="decision"')]).toEqual([undefined, true])
  }
  expect(await w.store.grants.list({ clientId: client })).toEqual([])
  expect((await browser.submit(page, { decision: 'allow' })).left?.searchParams.has('code')).toBe(true)
})

describe('what the open page did not show so is shown before it is granted', () => {
  const rulesWith = (...changes: readonly (readonly [string, string])[]): Policy =>
    readPolicy(changes.reduce((text, [from, to]) => text.replace(from, to), policyText))
  const adminIsBasic = ['description: Nobody can bring it back., risk: high', 'basic: true'] as const

  test.each([
    [
      'a switch that was off has become a basic scope',
      'notes:read notes:admin',
      rulesWith(adminIsBasic),
      'notes:read notes:admin',
    ],
    [
      'what is basic implies another basic scope',
      'notes:read',
      rulesWith(adminIsBasic, ['Read notes, basic: true', 'Read notes, basic: true, implies: [notes:admin]']),
      'notes:read notes:admin',
    ],
    [
      'what has a switch implies what nobody has left off',
      'notes:write',
      rulesWith(['implies: [notes:read]', 'implies: [notes:read, notes:admin], risk: high']),
      'notes:read notes:write',
    ],
    [
      'what was included has a switch now, and nobody has left it off',
      'notes:read notes:write',
      rulesWith(['Read notes, basic: true', 'Read notes']),
      'notes:write',
    ],
  ])('%s', async (_name, asked, rules, granted) => {
    const { browser, page } = await openConsent(w, client, { scope: asked })
    changed = rules
    const again = await browser.submit(page, { decision: 'allow', scope: ['notes:write'] })
    expect([again.left, again.hops, again.html.includes('name="decision"')]).toEqual([undefined, [303], true])
    expect(await w.store.grants.list({ clientId: client })).toEqual([])
    expect(await w.store.transactions.listDeclined({ since: 0 })).toEqual([])
    // That page shows what is true now, and its Allow counts.
    const { left } = await browser.submit(again, { decision: 'allow', scope: ['notes:write'] })
    const answer = await exchange(w, client, left?.searchParams.get('code') ?? '')
    expect(((await answer.json()) as Tokens).scope).toBe(granted)
  })
})

test('its twin: rules that stay grant what was allowed, to both users', async () => {
  const asked = { scope: 'notes:read notes:write' }
  const { browser, page } = await openConsent(w, client, asked)
  const { left } = await browser.submit(page, { decision: 'allow', scope: ['notes:write'] })
  const answer = await exchange(w, client, left?.searchParams.get('code') ?? '')
  expect(((await answer.json()) as Tokens).scope).toBe('notes:read notes:write')
  const reader = await openConsent(w, client, {}, readerEmail)
  const end = await reader.browser.submit(reader.page, { decision: 'allow' })
  expect(end.left?.searchParams.has('code')).toBe(true)
})
