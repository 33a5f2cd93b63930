import { withoutInvisible } from '@warder/protocol'

const maxLength = 300

/**
 * Words of a server as they may be shown or logged: without characters that a terminal obeys or that nobody
 * sees (Q27), with each secret of ours (of six characters or more) taken out in
 * whatever encoding we sent it (Q16), and at most 300 characters.
 */
export function hideSecrets(words: string, secrets: readonly string[]): string {
  let shown = withoutInvisible(words)
  for (const spelling of secrets.flatMap(spellings)) shown = shown.replaceAll(spelling, '[hidden]')
  return shown.slice(0, maxLength)
}

/** What is shorter keeps no secret, and taking it out would leave no word whole. */
const minLength = 6

/** The longest first, so that what is left of one cannot hide the next. */
function spellings(secret: string): readonly string[] {
  if (secret.length < minLength) return []
  const encoded = [
    encodeURIComponent(secret),
    new URLSearchParams({ v: secret }).toString().slice(2),
    Buffer.from(secret).toString('base64'),
    secret,
  ]
  return [...new Set(encoded)].sort((a, b) => b.length - a.length)
}
