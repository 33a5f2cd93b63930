import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { chooseWay, type WayChoice } from '../../src/client/way-choice.ts'

const switches = (...words: readonly string[]) => ({ switches: new Set(words), options: {} })
const options = (given: Readonly<Record<string, string>>, ...words: readonly string[]) => ({
  ...switches(...words),
  options: given,
})
const workload: WayChoice = { way: 'workload', tokenFile: '/kept/token', issuer: 'https://as.example' }
const keyed: WayChoice = { way: 'client-credentials', keyFile: '/kept/key', keyId: 'one', dpop: 'always' }
const person: WayChoice = { way: 'person' }
const enterprise: WayChoice = { way: 'enterprise', idp: 'https://idp.example', idpClientId: 'us' }
const exchange: WayChoice = { way: 'exchange', tokenFile: '/kept/token', issuer: 'https://as.example' }
const variable = { WARDER_WORKLOAD_TOKEN_FILE: '/offered' }

describe('what a sign-in goes by', () => {
  test('the command line comes first, then the last sign-in, then the environment, then a person', () => {
    const token = { 'workload-token-file': '/given' }
    expect(chooseWay(options(token), keyed, variable)).toEqual({
      ...{ way: 'workload', tokenFile: '/given' },
    })
    expect(chooseWay(switches(), keyed, variable)).toEqual(keyed)
    expect(chooseWay(switches(), person, variable)).toEqual(person)
    expect(chooseWay(switches(), undefined, variable)).toEqual({ way: 'workload', tokenFile: '/offered' })
    expect(chooseWay(switches(), undefined, {})).toEqual(person)
    expect(chooseWay(switches('device'), keyed, variable)).toEqual(person)
    expect(chooseWay(options({ 'client-id': 'mine' }), undefined, variable)).toEqual(person)
  })

  test('files are kept by their whole path, since another process is started elsewhere', () => {
    const given = options({ 'private-key': 'key.pem', 'key-id': 'two' }, 'client-credentials')
    expect(chooseWay(given, undefined, {})).toEqual({
      ...{ way: 'client-credentials', keyFile: resolve('key.pem'), keyId: 'two' },
    })
  })

  test('the same way again, without its options, goes by what it went by', () => {
    expect(chooseWay(switches('client-credentials'), keyed, {})).toEqual(keyed)
    expect(chooseWay(switches('enterprise'), enterprise, {})).toEqual(enterprise)
    expect(chooseWay(options({ dpop: 'never' }), keyed, {})).toEqual({ ...keyed, dpop: 'never' })
  })

  test('what is new is not mixed with what was kept: neither key nor token changes its server', () => {
    expect(chooseWay(options({ 'client-id': 'other' }), keyed, {})).toEqual({
      ...{ way: 'client-credentials', dpop: 'always' },
    })
    const file = { 'workload-token-file': '/given' }
    expect(chooseWay(options(file), workload, {})).toEqual({ way: 'workload', tokenFile: '/given' })
    const other = options({ idp: 'https://other.example' }, 'enterprise')
    expect(chooseWay(other, enterprise, {})).toEqual({ way: 'enterprise', idp: 'https://other.example' })
    const elsewhere = options({ issuer: 'https://evil.example' }, 'exchange')
    expect(() => chooseWay(elsewhere, exchange, {})).toThrow('--exchange needs --subject-token-file')
  })

  test.each([
    [switches('client-credentials', 'exchange'), '--client-credentials and --exchange exclude each other'],
    [switches('device', 'enterprise'), '--device and --enterprise exclude each other'],
    [switches('no-browser', 'client-credentials'), 'exclude each other'],
    [switches('enterprise', 'print-handoff'), '--enterprise with --print-handoff needs --wait'],
    [options({ 'key-id': 'one' }), '--key-id needs --private-key'],
    [options({ idp: 'https://idp.example' }), '--idp needs --enterprise'],
    [options({ issuer: 'https://as.example' }, 'exchange'), '--exchange needs --subject-token-file'],
    [options({ 'subject-token-file': '/t' }, 'exchange'), '--exchange needs'],
    [options({ idp: 'idp.example' }, 'enterprise'), '--idp is a URL that begins with https://'],
    [options({ issuer: 'http://as.example' }, 'exchange'), '--issuer is a URL that begins with https://'],
    [options({ 'private-key': '' }), '--private-key is empty'],
    [options({ 'private-key': '/k', 'workload-token-file': '/t' }), 'leave --private-key out'],
    [options({ 'private-key': '/k' }, 'client-secret-stdin'), 'exclude each other'],
    [
      switches('enterprise', 'client-secret-stdin', 'idp-client-secret-stdin'),
      'standard input holds one secret',
    ],
  ])('what does not go together is told: %j', (given, words) => {
    expect(() => chooseWay(given, undefined, {})).toThrow(words)
  })

  test('a person at an identity provider may be shown its page in any way but a code', () => {
    const given = { idp: 'https://idp.example', 'idp-client-id': 'us' }
    expect(chooseWay(options(given, 'enterprise', 'no-browser'), undefined, {})).toEqual(enterprise)
    expect(chooseWay(options(given, 'enterprise', 'print-handoff', 'wait'), undefined, {})).toEqual(
      enterprise,
    )
  })
})
