import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  describeClient,
  formatScope,
  isScopeToken,
  readRegistration,
  readScope,
  readStrictJson,
  refusals,
} from '@warder/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatRecord, type OutcomeRecord, readRecord } from '../../packages/gateway/src/decision-record.ts'
import {
  formatServerSentEvent,
  readServerSentEvents,
  type ServerSentEvent,
} from '../../packages/guard/src/server-sent-events.ts'
import { outcomeOf, parsers } from '../corpus/parsers.ts'

const runs = Number(process.env['WARDER_RUNS'] ?? 150)

/** What a parser may say: yes, a reason of the catalogue, or the error of its contract. */
const allowed = new Set([
  ...['accepted', 'not public', 'not a record', 'PolicyErrors', 'Problem', 'TypeError'],
  ...Object.keys(refusals),
])

const corpus = join(import.meta.dirname, '..', 'corpus')
const inputsOf = (parser: string): Uint8Array[] =>
  readdirSync(join(corpus, parser)).map((file) => readFileSync(join(corpus, parser, file)))

const scraps = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '\n',
  '\r',
  '\0',
  '%',
  '%00',
  '@',
  '/',
  '..',
  '__proto__',
  '=',
  ' ',
]
const scrap = fc.oneof(
  fc.constantFrom(...scraps).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
)

/** Something of the corpus with a few bytes taken out, put in or said twice. */
function near(inputs: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const cut = fc.record({ at: fc.nat(400), take: fc.nat(6), put: scrap, again: fc.nat(20) })
  return fc.tuple(fc.constantFrom(...inputs), fc.array(cut, { maxLength: 4 })).map(([input, cuts]) =>
    cuts.reduce<Uint8Array>((bytes, { at, take, put, again }) => {
      const start = at % (bytes.length + 1)
      const rest = bytes.subarray(start + take)
      return Buffer.concat([bytes.subarray(0, start), put, bytes.subarray(start, start + again), rest])
    }, input),
  )
}

describe('no parser throws anything but what its contract says', { timeout: 200_000 }, () => {
  test.each(Object.keys(parsers))('%s', async (parser) => {
    const bytes = fc.oneof(
      { weight: 4, arbitrary: near(inputsOf(parser)) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      { weight: 1, arbitrary: fc.json().map((text) => Buffer.from(text)) },
    )
    await fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        expect(allowed).toContain(await outcomeOf(parser, input))
      }),
      { numRuns: runs },
    )
  })
})

describe('what is written is read again', () => {
  test('N02 events, however the stream is cut into pieces', async () => {
    const line = fc.string({ unit: 'grapheme' }).map((text) => text.replace(/[\r\n\0]|^\ufeff/g, ''))
    const event = fc
      .record({ data: line, event: line, id: line, retry: fc.nat(999_999_999) }, { requiredKeys: ['data'] })
      .filter(({ event: name }) => name !== '')
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 5 }),
        fc.integer({ min: 1, max: 20 }),
        async (events, size) => {
          const bytes = Buffer.from(events.map(formatServerSentEvent).join(''))
          async function* pieces(): AsyncGenerator<Uint8Array> {
            for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
          }
          const read: ServerSentEvent[] = []
          for await (const part of readServerSentEvents(pieces(), 100_000))
            if (part !== 'comment') read.push(part)
          expect(read).toEqual(events)
        },
      ),
      { numRuns: runs },
    )
  })

  test('records of the log: one line each, in visible ASCII, with nothing of it lost', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 100 })
    fc.assert(
      fc.property(text, text, (id, outcome) => {
        const record = {
          kind: 'outcome',
          id,
          at: '2026-08-01T12:00:00.000Z',
          outcome,
        } as unknown as OutcomeRecord
        const written = formatRecord(record)
        expect(written).toMatch(/^[\x20-\x7e]*\n?$/)
        expect(readRecord(written)).toEqual(record)
      }),
      { numRuns: runs },
    )
  })

  test('what a registration is answered with can be registered, and comes back the same', () => {
    const metadata = fc.record(
      {
        redirect_uris: fc.uniqueArray(
          fc.constantFrom(
            'https://app.example/cb',
            'http://127.0.0.1:33418/cb',
            'cursor://cb',
            'https://a.example:8443/x?y=z',
          ),
          { minLength: 1 },
        ),
        client_name: fc.string({ unit: 'grapheme', maxLength: 60 }),
        client_uri: fc.constantFrom('https://app.example', 'https://app.example/about'),
        grant_types: fc.constantFrom(['authorization_code'], ['authorization_code', 'refresh_token']),
        scope: fc.constantFrom('a', 'a b'),
      },
      { requiredKeys: ['redirect_uris'] },
    )
    fc.assert(
      fc.property(metadata, (asked) => {
        const once = readRegistration(readStrictJson(Buffer.from(JSON.stringify(asked))))
        const again = readRegistration(readStrictJson(Buffer.from(JSON.stringify(describeClient(once)))))
        expect(again).toEqual(once)
      }),
      { numRuns: runs },
    )
  })

  test('scopes, and whatever is no scope is refused', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 6 }), (scopes) => {
        const known = scopes.filter(isScopeToken)
        expect(readScope(formatScope(known))).toEqual(known)
      }),
      { numRuns: runs },
    )
  })
})
