/**
 * A header value whose secret part is kept by the credential store: `keychain://NAME`, also behind a word
 * such as `Bearer`.
 */
export interface SecretReference {
  /** What goes before the secret: empty, or a word and a blank. */
  readonly prefix: string
  readonly name: string
}

/**
 * Reads a reference; undefined for a value that is none. Throws RangeError for one with a name that cannot be
 * one.
 */
export function readSecretReference(value: string): SecretReference | undefined {
  const [, prefix = '', name] = /^([A-Za-z][A-Za-z0-9-]* )?(?:keychain|secret):\/\/(.*)$/s.exec(value) ?? []
  if (name === undefined) return undefined
  if (!/^[a-z0-9][a-z0-9.-]{0,63}$/.test(name))
    throw new RangeError(
      'A reference is keychain://NAME, and a name has small letters, digits, "." and "-", 64 at most.',
    )
  return { prefix, name }
}

/** Whether a value refers to a secret instead of being one. */
export function isSecretReference(value: string): boolean {
  try {
    return readSecretReference(value) !== undefined
  } catch {
    return false
  }
}
