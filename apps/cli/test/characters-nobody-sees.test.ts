import { hasHiddenCharacter } from '@warder/host-config'
import { readPolicy } from '@warder/policy'
import { hasInvisible, readRegistration, withoutInvisible } from '@warder/protocol'
import { describe, expect, test } from 'vitest'
import { hideSecrets } from '../../../packages/client/src/tokens/hide-secrets.ts'
import { showWholeCommand } from '../src/client/show-command.ts'
import { plain } from '../src/output.ts'

const unseen: Readonly<Record<string, number>> = {
  'an Arabic letter mark': 0x061c,
  'a Mongolian vowel separator': 0x180e,
  'a soft hyphen': 0x00ad,
  'a tag character': 0xe0041,
  'an annotation anchor': 0xfff9,
  'a Hangul filler': 0x115f,
  'another Hangul filler': 0x3164,
  'a lone surrogate': 0xd800,
  'an unassigned one that is ignored': 0x2065,
  'private use': 0xe000,
  'a blank Braille pattern': 0x2800,
  'a zero-width space': 0x200b,
  'a right-to-left override': 0x202e,
  'an escape': 0x1b,
  'a separator of lines': 0x2028,
}

const isPattern = (match: string): boolean => {
  const tools = `tools: [{ match: ${JSON.stringify(match)}, scopes: [s:a] }]`
  const file = `version: 1\nservers: { s: { run: [x], scopes: { s:a: { title: A } }, ${tools} } }\n`
  try {
    readPolicy(file)
    return true
  } catch {
    return false
  }
}

const nameOf = (name: string): string | undefined =>
  readRegistration({ redirect_uris: ['https://app.example/cb'], client_name: name }).clientName

/** Whoever must not let such a character by, as what is left of a text; `refused` where nothing is. */
const readers: Readonly<Record<string, (text: string) => string | undefined>> = {
  withoutInvisible: (text) => withoutInvisible(text),
  hasInvisible: (text) => (hasInvisible(text) ? 'refused' : text),
  'a line on the terminal': plain,
  'an argument of a command': (text) =>
    showWholeCommand('It', ['run', text], []).match(/^ {2}run "?(.*?)"?$/m)?.[1],
  'words of an authorization server': (text) => hideSecrets(text, []),
  // White space of any kind is one blank there.
  'the name of a client': (text) => nameOf(text)?.replace(' ', ''),
  'a name in a list of servers': (text) => (hasHiddenCharacter(text) ? 'refused' : text),
  'a name in a policy': (text) => (isPattern(text) ? text : 'refused'),
}

describe.each(Object.keys(readers))('Q27 D10 characters that nobody sees, in %s', (reader) => {
  const left = (text: string): string | undefined => readers[reader]?.(text)

  test.each(Object.entries(unseen))('%s (%i) does not get by', (_, code) => {
    const text = `a${String.fromCodePoint(code)}b`
    const shown = reader === 'an argument of a command' ? `a\\u{${code.toString(16)}}b` : 'ab'
    expect([shown, 'refused']).toContain(left(text))
  })

  test.each(['ab', 'näme', '名前', 'имя', 'اسم', '🗒'])('twin: %s does', (text) => {
    expect(left(text)).toContain(text)
  })
})
