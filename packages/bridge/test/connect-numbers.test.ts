import { toRefusal } from '@warder/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readMessages } from '../src/connect/read-message.ts'

const wrap = (number: string, text: string): string =>
  `{"jsonrpc":"2.0","id":1,"result":{"number":${number},"rest":${text}}}`

/** What comes of a text: its result written again, or why it is refused. */
const read = (text: string): string => {
  try {
    return JSON.stringify(readMessages(text)[0]?.value['result'])
  } catch (error) {
    return toRefusal(error).reason
  }
}

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value))
const broken = fc
  .tuple(
    json,
    fc.nat(),
    fc.constantFrom('"', '\\', '-', '0', '01', '.', 'e', '1e', 'null', '{', ']', ' ', ','),
  )
  .map(
    ([text, at, piece]) => text.slice(0, at % (text.length + 1)) + piece + text.slice(at % (text.length + 1)),
  )
const pieces = fc
  .array(fc.constantFrom('"', '\\', '-', '0', '1', '.', 'e', '+', '[', ']', '{', '}', ':', ',', ' ', 'null'))
  .map((all) => all.join(''))

for (const odd of ['-0', '12345678901234567890', '1e999', '1e-999', '-0.0']) {
  test(`M06 what stands beside an odd number is read as it is without one; ${odd}`, () => {
    fc.assert(
      fc.property(fc.oneof(json, broken, pieces), (text) => {
        const withOdd = read(wrap(odd, text))
        const without = read(wrap('1', text))
        expect(withOdd).toBe(without.replace('{"number":1,', `{"number":${odd},`))
        expect(withOdd).toMatch(/^(\{|message\.)/)
      }),
      { numRuns: 1000 },
    )
  })
}

test('what an odd number looks like stays as it is within strings, and numbers beside it are read', () => {
  const rest = '{"-0":"-0 \\" 1e999 \\\\","a":[5.0,50e-1,-0.0,"\\"",-0,1.5]}'
  expect(read(wrap('-0', rest))).toBe(
    '{"number":-0,"rest":{"-0":"-0 \\" 1e999 \\\\","a":[5,5,-0.0,"\\"",-0,1.5]}}',
  )
})
