import { describe, expect, test } from 'vitest'
import { readCallbackPort, readScopes } from '../../src/client/client-options.ts'
import { readConnectArguments } from '../../src/client/connect-arguments.ts'
import type { ServerTarget } from '../../src/client/find-server.ts'
import { readServerOptions } from '../../src/client/read-server-options.ts'
import { putVariablesIn } from '../../src/client/read-words.ts'
import { type Input, readInput } from '../../src/command.ts'
import { add } from '../../src/commands/add.ts'
import { connect } from '../../src/commands/connect.ts'
import { login } from '../../src/commands/login.ts'

const url = 'https://mcp.example.com/mcp'
const target: ServerTarget = { server: url }
const adding = (...words: readonly string[]): Input => readInput(add, ['tracker', url, ...words])
const signingIn = (...words: readonly string[]): Input => readInput(login, [url, ...words])
const connecting = (...words: readonly string[]): Input => readInput(connect, [url, ...words])
const added = (...words: readonly string[]) => readServerOptions('tracker', adding(...words))

/** What is read, or `refused`, where the problem says `words`. */
function outcomeOf(read: () => unknown, words: string): unknown {
  try {
    return read()
  } catch (error) {
    expect(error).toMatchObject({ name: 'Problem', exitCode: 2, message: expect.stringContaining(words) })
    return 'refused'
  }
}

describe('words of a command line are read one way, wherever they are given', () => {
  test.each<readonly [string, number | 'refused']>([
    ['1024', 1024],
    ['65535', 65_535],
    ['1023', 'refused'],
    ['80', 'refused'],
    ['0', 'refused'],
    ['65536', 'refused'],
    ['8e3', 'refused'],
  ])('the callback port %s: %s', (port, read) => {
    const readers = [
      () => added('--callback-port', port).oauth?.callbackPort,
      () => readCallbackPort(signingIn('--callback-port', port), target),
      () => readCallbackPort(signingIn(), { ...target, callbackPort: Number(port) }),
    ]
    const wanted = readers.map(() => read)
    expect(readers.map((reader) => outcomeOf(reader, 'from 1024 to 65535'))).toEqual(
      // In a list it is a number already.
      port === '8e3' ? [...wanted.slice(1), 8000] : wanted,
    )
  })

  test.each<readonly [string, readonly string[] | 'refused']>([
    ['a:b c', ['a:b', 'c']],
    ['a  a b', ['a', 'b']],
    ['', 'refused'],
    [' ', 'refused'],
    ['a,b', 'refused'],
    ['a "b"', 'refused'],
    ['a\\b', 'refused'],
    ['ä', 'refused'],
  ])('the scopes %j: %j', (scopes, read) => {
    const words = 'with a blank between them'
    expect(outcomeOf(() => added('--oauth-scope', scopes).oauth?.scopes, words)).toEqual(read)
    expect(outcomeOf(() => readScopes(signingIn('--scope', scopes), target), words)).toEqual(read)
  })

  test.each<readonly [string, readonly [string, string] | 'refused']>([
    ['X-Team: blue', ['X-Team', 'blue']],
    ['X-Team:a:b ', ['X-Team', 'a:b']],
    ['X-Team:', ['X-Team', '']],
    ['X-Team', 'refused'],
    [': canary', 'refused'],
    ['X Team: canary', 'refused'],
    ['X-Team: a\r\nX-Other: canary', 'refused'],
    [`${'x'.repeat(257)}: canary`, 'refused'],
  ])('the header %j: %j', (header, read) => {
    const words = '--header takes a name and a value'
    const headersOf = [
      () => Object.entries(added('--header', header).headers ?? {})[0],
      () => readConnectArguments(connecting('--header', header)).headers[0],
    ]
    for (const reader of headersOf) expect(outcomeOf(reader, words)).toEqual(read)
  })
})

describe('variables in the words of a command line', () => {
  const variable = (inside: string): string => `\${${inside}}`
  const env = { TEAM: 'blue', EMPTY: '', NESTED: variable('TEAM') }

  test.each([
    [`${variable('TEAM')}-${variable('NESTED')}`, `blue-${variable('TEAM')}`],
    [`${variable('EMPTY:-red')}${variable('NONE:-')}`, 'red'],
    [`$TEAM ${variable('env:TEAM')}`, `$TEAM ${variable('env:TEAM')}`],
  ])('%s: %s', (text, whole) => {
    expect(putVariablesIn(text, 'the header X', env)).toBe(whole)
  })

  test.each(['NONE', 'EMPTY', 'toString'])('%s is not set', (name) => {
    const told = outcomeOf(() => putVariablesIn(variable(name), 'the header X', env), 'which is not set')
    expect(told).toBe('refused')
  })
})
