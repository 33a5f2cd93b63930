import { Refusal } from '@warder/protocol'

/** Least number of characters of a password. */
export const passwordLength = 12

/** An e-mail address as it is stored: trimmed, lower case. Only its form is checked; nothing is sent to it. */
export function readEmail(raw: string): string {
  const email = raw.trim().toLowerCase()
  if (email.length > 320 || !/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+$/u.test(email))
    throw new Refusal('email.malformed')
  return email
}

/** Refuses a password that is too short, or so long that hashing it is an attack. */
export function checkNewPassword(password: string): string {
  if ([...password].length < passwordLength || password.length > 1024) throw new Refusal('password.weak')
  return password
}
