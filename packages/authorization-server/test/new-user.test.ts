import { expect, test } from 'vitest'
import { checkNewPassword, readEmail } from '../src/checks/check-new-user.ts'

const longest = `${'x'.repeat(318)}@y`

test.each([
  ['user@host', 'user@host'],
  ['  User@Host.Example\n', 'user@host.example'],
  ['ü@bücher.example', 'ü@bücher.example'],
  [longest, longest],
])('an e-mail address is kept trimmed and in lower case: %j', (raw, email) => {
  expect(readEmail(raw)).toBe(email)
})

test.each([
  '',
  'user',
  '@host',
  'user@',
  'a b@host',
  'user@ho st',
  'user@host@',
  '@user@host',
  'one@host@two',
  'us\0er@host',
  'user@ho\x7fst',
  `x${longest}`,
])('what is no e-mail address is refused: %j', (raw) => {
  expect(() => readEmail(raw)).toThrow(expect.objectContaining({ reason: 'email.malformed' }))
})

test.each(['x'.repeat(12), '🏰'.repeat(12), 'x'.repeat(1024)])(
  'a password of 12 to 1024 characters is taken as it is',
  (password) => {
    expect(checkNewPassword(password)).toBe(password)
  },
)

test.each(['', 'x'.repeat(11), '🏰'.repeat(11), 'x'.repeat(1025)])(
  'a shorter or longer password is refused',
  (password) => {
    expect(() => checkNewPassword(password)).toThrow(expect.objectContaining({ reason: 'password.weak' }))
  },
)
