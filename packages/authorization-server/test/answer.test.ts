import { expect, test } from 'vitest'
import type { WebRequest } from '../src/index.ts'
import { startWarder } from './start.ts'

const w = await startWarder()
const peer = { address: '192.0.2.1' }

/** One request, as bytes at hand and as the platform has it. */
function both(
  method: string,
  path: string,
  given: { readonly headers?: Record<string, string>; readonly body?: string } = {},
): { readonly bare: WebRequest; readonly platform: Request } {
  const { headers = {}, body } = given
  const url = w.issuer + path
  return {
    bare: { method, url, headers: new Headers(headers), body: body === undefined ? null : Buffer.from(body) },
    platform: new Request(url, { method, headers, ...(body === undefined ? {} : { body }) }),
  }
}

const form = { 'content-type': 'application/x-www-form-urlencoded' }

test.each([
  ['a document', both('GET', '/jwks'), 200],
  ['the head of a document', both('HEAD', '/jwks'), 200],
  ['a preflight', both('OPTIONS', '/token'), 204],
  ['a refusal for a program', both('POST', '/token', { headers: form, body: 'grant_type=none' }), 400],
  ['a page', both('GET', '/authorize', { headers: { accept: 'text/html' } }), 400],
  ['a redirect', both('GET', '/account'), 303],
  ['no body where one is needed', both('POST', '/token', { headers: form, body: '' }), 400],
])('%s is the same without the objects of the platform', async (_name, { bare, platform }, status) => {
  const answer = await w.server.answer(bare, peer)
  const response = await w.server.handle(platform, peer)
  expect([answer.status, response.status]).toEqual([status, status])
  const names = Object.keys(answer.headers).map((name) => name.toLowerCase())
  expect(names.toSorted()).toEqual([...new Set(response.headers.keys())].toSorted())
  // What is new each time: the path of a visit, the reference of an error.
  const plain = (text: string | null): string | undefined =>
    text?.replaceAll(/account\/[\w-]{22}|transaction=[\w-]{43}|<code><bdi>[\w-]{8}/g, '')
  for (const [name, value] of Object.entries(answer.headers))
    expect(plain([value].flat().join(', '))).toBe(plain(response.headers.get(name)))
  expect(plain(answer.body ?? '')).toBe(plain(await response.text()))
})

test('C42 a body at hand is as limited as one that comes in pieces', async () => {
  const status = async (length: number): Promise<number> => {
    const { bare } = both('POST', '/token', { headers: form, body: 'x'.repeat(length) })
    return (await w.server.answer(bare, peer)).status
  }
  expect(await status(16_384)).toBe(400)
  expect(await status(16_385)).toBe(413)
})
