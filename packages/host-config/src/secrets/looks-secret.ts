/** Names whose values are credentials. */
const secretName =
  /auth|cookie|token|secret|passw|passphrase|credential|(?:^|[-_.])(?:key|pat|dsn|pwd)(?:$|[-_.])|api-?key|session/i

/** What is about credentials and none: `MAX_TOKENS=4096`, `--token-file /run/secrets/token`. */
const settings: readonly { readonly name: RegExp; readonly value: RegExp }[] = [
  { name: /(?:tokens|timeout|ttl|seconds|size|limit|length|count|port)$/i, value: /^\d{1,7}$/ },
  { name: /(?:file|path|dir|credentials)$/i, value: /^(?:~|\.{1,2}|[A-Za-z]:)?[\\/][\w .@+\\/-]*$/ },
]

/** Values that services recognise as their credentials. */
const vendorPatterns: readonly RegExp[] = [
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|sk-|sk_live_|rk_live_|pk_live_|npm_|pypi-|dop_v1_|hf_|AKIA|ASIA|AIza|ya29\.)[\w-]{10,}/,
  /\beyJ[\w-]{8,}\.[\w-]{4,}\.?[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^(?:Bearer|Basic|Token|DPoP)\s+\S{6,}/i,
]

/** Whether a header, a variable or a query field of this name holds a credential. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replace(/(?<=[a-z])(?=[A-Z])/g, '-'))
}

/**
 * Whether a literal value looks like a credential: by its name, by the form that a service gives its tokens,
 * or by being long and without a pattern. Errs towards yes, since what it stops is a secret that would be
 * written to a file.
 */
export function looksSecret(name: string, value: string): boolean {
  if (value.trim() === '') return false
  return isSecretUnder(name, value) || isSecretValue(value)
}

/** Whether a value is a credential by its name alone: not a switch, a count or the path of a file. */
export function isSecretUnder(name: string, value: string): boolean {
  const text = value.trim()
  if (text === '' || !isSecretName(name) || /^(?:true|false|yes|no|on|off|none|null|0|1)$/i.test(text))
    return false
  return !settings.some((setting) => setting.name.test(name) && setting.value.test(text))
}

/** The same for a value that has no name, such as an argument of a program. */
export function isSecretValue(value: string): boolean {
  return vendorPatterns.some((pattern) => pattern.test(value)) || value.split(/[\s=:,;/]+/).some(isRandom)
}

function isRandom(word: string): boolean {
  if (word.length < 24 || !/^[A-Za-z0-9+_.~-]+=*$/.test(word)) return false
  const kinds = [/[a-z]/, /[A-Z]/, /\d/].filter((kind) => kind.test(word)).length
  return kinds >= 2 && /\d/.test(word) && bitsPerCharacter(word) > 3.5
}

function bitsPerCharacter(word: string): number {
  const counts = new Map<string, number>()
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce(
    (sum, count) => sum - (count / word.length) * Math.log2(count / word.length),
    0,
  )
}
