import { filterAnswer, type Guard } from '@warder/guard'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { authenticate, makeGuard, reasonOf, signer } from './fixture.ts'

const guard = makeGuard()
const principal = await authenticate(guard, await signer.sign())

/** What the filter makes of a body, read again; the reason where it refuses. */
async function filtered(
  text: string,
  method: string,
  by: Guard = guard,
): Promise<{ readonly reason: string; readonly value?: unknown; readonly text: string }> {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    yield new TextEncoder().encode(text)
  }
  let out = ''
  const seal = (of: string, cursor: string): string => `${of} ${cursor}`
  const reason = await reasonOf(
    (async () => {
      const chunks = filterAnswer(by, principal, method, 'application/json', body(), seal)
      for await (const chunk of chunks) out += new TextDecoder().decode(chunk)
    })(),
  )
  return reason === 'passed' ? { reason, value: JSON.parse(out), text: out } : { reason, text: out }
}

/** A text of two lines is read, filtered and written as a whole. */
const both = async (text: string, method: string) => {
  const [short, whole] = [await filtered(text, method), await filtered(`${text}\n`, method)]
  return [
    { reason: short.reason, value: short.value },
    { reason: whole.reason, value: whole.value },
  ]
}

const names = fc.oneof(
  fc.constantFrom('search_notes', 'create_note', 'wipe_disk', 'tmp_1', 'nobody', '', 'search\u005fnotes'),
  fc.string({ unit: 'grapheme' }),
)
const member = fc.constantFrom('name', 'uri', 'uriTemplate', 'tools', '__proto__', 'n"ame', 'title')
const item = fc.oneof(
  { weight: 20, arbitrary: fc.record({ name: names, uri: names, inputSchema: fc.jsonValue() }) },
  { weight: 1, arbitrary: fc.dictionary(member, fc.jsonValue()) },
  { weight: 1, arbitrary: fc.jsonValue() },
)
const around = fc.dictionary(
  fc.constantFrom('nextCursor', '_meta', 'ttlMs', 'cacheScope', 'more'),
  fc.oneof(fc.string(), fc.jsonValue()),
)

/** JSON in another spelling: the first letter of every string as an escape, space between the tokens. */
const respelled = (text: string): string =>
  text.replace(/"([a-z])/g, (_, letter: string) => ` "\\u00${letter.charCodeAt(0).toString(16)}`)

describe('a list that is cut out of the text of its answer', () => {
  it('N02 is the list that reading and writing all of it makes, or is refused like it', async () => {
    const answers = fc.record({
      id: fc.oneof(fc.integer(), fc.string(), fc.constant({ tools: [] })),
      items: fc.array(item, { maxLength: 12 }),
      rest: around,
      before: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(answers, fc.boolean(), async ({ id, items, rest, before }, isRespelled) => {
        const list = { tools: items }
        const result = before ? { ...rest, ...list } : { ...list, ...rest }
        const plain = JSON.stringify({ jsonrpc: '2.0', id, result })
        const [short, whole] = await both(isRespelled ? respelled(plain) : plain, 'tools/list')
        expect(short).toEqual(whole)
      }),
      { numRuns: 300 },
    )
  })
  it.each([
    ['tools/list', 'tools', 'name', 'search_notes', 'create_secret'],
    ['prompts/list', 'prompts', 'name', 'summarize', 'attack_plan'],
    ['resources/list', 'resources', 'uri', 'notes:///public/a', 'notes:///secret/a'],
    ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'notes:///public/{x}', 'notes:///x/{x}'],
  ])(
    'N02 %s keeps the text of what stays and has nothing of what does not',
    async (method, list, ...rest) => {
      const [name, open, hidden] = rest as [string, string, string]
      const kept = `{"${name}":${JSON.stringify(open).replace('s', '\\u0073')},"size":1.50,"a":[ ]}`
      const cut = `{"${name}":"${hidden}","also":"${hidden}"}`
      const text = `{"id":7,"jsonrpc":"2.0","result":{"${list}":[${cut},${kept},${cut}],"nextCursor":"c"}}`
      const answer = await filtered(text, method)
      expect(answer.text).toContain(`"${list}":[${kept}]`)
      expect(answer.text).not.toContain(hidden)
      expect(answer.value).toEqual({
        jsonrpc: '2.0',
        id: 7,
        result: { [list]: [JSON.parse(kept)], nextCursor: `${method} c`, cacheScope: 'private' },
      })
    },
  )
  it.each([
    ['an item twice the same key', '{"name":"search_notes","name":"wipe_disk"}'],
    ['the same key in two spellings', '{"name":"search_notes","n\\u0061me":"wipe_disk"}'],
    ['a lone surrogate', '{"name":"search_notes","title":"\\ud800"}'],
    ['an item that is a list', '["search_notes"]'],
    ['an item without name', '{"title":"search_notes"}'],
    ['a name that is a number', '{"name":1}'],
    ['an empty name', '{"name":""}'],
    ['text behind the item', '{"name":"search_notes"} x'],
  ])('M07 N02 %s: nothing of the answer comes out', async (_, bad) => {
    const good = '{"name":"search_notes"}'
    const text = (item: string) => `{"jsonrpc":"2.0","id":1,"result":{"tools":[${good},${item}]}}`
    expect(await filtered(text(bad), 'tools/list')).toEqual({ reason: 'upstream.answer', text: '' })
    expect((await filtered(text(good), 'tools/list')).reason).toBe('passed')
  })
})
