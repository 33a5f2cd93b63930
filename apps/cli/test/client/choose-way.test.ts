import { execPath } from 'node:process'
import { describe, expect, test } from 'vitest'
import { type Mode, readMode, readTimeout, type Surroundings } from '../../src/client/choose-way.ts'

/** Any program will do: none is started. */
const desk: Surroundings = { env: { BROWSER: execPath }, platform: 'linux', isTerminal: true }
const ssh: Surroundings = { ...desk, env: { SSH_CONNECTION: 'x' } }
const job: Surroundings = { ...desk, env: { CI: 'true' }, isTerminal: false }

function modeOf(words: readonly string[], where: Surroundings): Mode {
  return readMode({ switches: new Set(words) }, where)
}

describe('how a person signs in', () => {
  test.each<[Mode, string, readonly string[], Surroundings]>([
    ['browser', 'at a desk', [], desk],
    ['show', 'over SSH, in a terminal', [], ssh],
    ['hand-off', 'over SSH, without a terminal', [], { ...ssh, isTerminal: false }],
    ['hand-off', 'in CI', [], job],
    [
      'browser',
      'where there is a browser but no terminal, as below a host',
      [],
      { ...desk, isTerminal: false },
    ],
    ['show', 'by wish', ['no-browser'], desk],
    ['device', 'by wish', ['device'], desk],
    ['hand-off', 'by wish', ['print-handoff'], desk],
    ['wait', 'by wish', ['print-handoff', 'wait'], desk],
  ])('%s %s', (mode, _name, words, where) => {
    expect(modeOf(words, where)).toBe(mode)
  })

  test.each([
    [['device', 'no-browser'], 'exclude each other'],
    [['device', 'print-handoff', 'wait'], 'exclude each other'],
    [['wait'], '--wait needs --print-handoff'],
  ])('%s is a contradiction', (words, says) => {
    expect(() => modeOf(words, desk)).toThrow(says)
  })
})

test('--timeout is seconds, and nothing else', () => {
  const read = (timeout?: string): number | undefined => readTimeout({ options: { timeout } })
  expect([read(), read('90')]).toEqual([undefined, 90_000])
  for (const odd of ['0', '-1', '1.5', '1e3', '1000000', 'ten', ''])
    expect(() => read(odd)).toThrow('number of seconds')
})
