import { describe, expect, test } from 'vitest'
import { loginCommand, loginOptions, loginSwitches } from '../../src/client/login-command.ts'
import { showWord } from '../../src/client/show-word.ts'
import { connect } from '../../src/commands/connect.ts'
import { login } from '../../src/commands/login.ts'

const none = new Set<string>()

describe('the command that signs in', () => {
  test('names what decides where and as whom, and leaves out what is the default', () => {
    const options = { host: 'cursor', profile: 'work', store: 'encrypted-file', timeout: '60' }
    expect(loginCommand('notes', { options, switches: new Set(['device', 'debug']) })).toBe(
      'warder login notes --host cursor --profile work --store encrypted-file --device',
    )
    expect(loginCommand('notes', { options: { profile: 'default' }, switches: none })).toBe(
      'warder login notes',
    )
  })

  test('every option of it is one of warder login, and of warder connect', () => {
    for (const name of [...loginOptions, ...loginSwitches]) {
      expect(login.options).toHaveProperty(name)
      expect(connect.options).toHaveProperty(name)
      expect('value' in login.options[name]!).toBe(loginOptions.includes(name))
    }
  })

  test('is quoted for a shell where that is needed', () => {
    expect(loginCommand("https://a.example/mcp?x=1&y='2'", { options: { scope: 'a b' } })).toBe(
      `warder login 'https://a.example/mcp?x=1&y='\\''2'\\''' --scope 'a b'`,
    )
    expect(loginCommand('notes', { options: { 'client-id': '-x' } })).toBe(
      'warder login notes --client-id=-x',
    )
  })

  test.each([
    ['notes', 'notes'],
    ['https://a.example/mcp?tenant=7', 'https://a.example/mcp?tenant=7'],
    ['https://a.example/mcp?api_key=canary&tenant=7', 'https://a.example/mcp?api_key=[hidden]&tenant=7'],
    ['https://a.example/mcp?x=sk_live_canary0123456789', 'https://a.example/mcp?x=[hidden]'],
    ['https://a.example/mcp?sk_live_canary0123456789', 'https://a.example/mcp?[hidden]'],
  ])('Q16 %s is told without a credential in its query, and else as it is', (word, shown) => {
    expect(showWord(word)).toBe(shown)
  })
})
