import { type Policy, readPolicy } from '@warder/policy'
import { beforeEach, expect, test } from 'vitest'
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
