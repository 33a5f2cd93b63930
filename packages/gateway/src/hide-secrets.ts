/** Our codes and refresh tokens, and any signed JWT. */
const secret = /\bw(?:rt|ac)_[A-Za-z0-9_-]{43}|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g
const looked = 2048

/**
 * A text of a client without what can be recognised as a token, for the log (T02): a client that puts its token where the name
 * of a tool belongs must not find it on our disk. Looks at the first 2048 characters and drops the rest. A password is a word
 * like any other: it is not recognised.
 */
export function hideSecrets(text: string): string {
  return text.slice(0, looked).replaceAll(secret, '[token]')
}
