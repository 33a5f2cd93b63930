/** Where a client keeps its credentials. Names are no secret; values are. */
export interface CredentialStore {
  readonly kind: StoreKind
  /** The value, or undefined when there is none. A store that cannot say so throws `StoreUnavailable`, never undefined. */
  read(name: string): Promise<string | undefined>
  /** Returns when the value would survive the end of the process (but in memory); a reader finds the old value or the new one, whole. */
  write(name: string, value: string): Promise<void>
  /** Does nothing when there is no such value. */
  remove(name: string): Promise<void>
  /** The names that have a value, sorted; in a keychain perhaps also one whose writing or removal was cut short. */
  list(): Promise<readonly string[]>
  /**
   * Does the work while no other process of this user that keeps to this call does any for the same name. Not reentrant: the
   * work must not take the same name again. Throws `StoreUnavailable` ('timeout') when the others take longer than `timeoutMs`
   * (default 60,000).
   */
  locked<Result>(
    name: string,
    work: () => Promise<Result>,
    options?: { readonly timeoutMs?: number | undefined },
  ): Promise<Result>
}

export const storeKinds = ['keychain', 'encrypted-file', 'memory', 'plain-file'] as const
export type StoreKind = (typeof storeKinds)[number]

/**
 * Names as every store takes them, on every file system: letters that keep their case apart nowhere, digits, dots and hyphens.
 * Throws a TypeError for others.
 */
export function checkName(name: string): string {
  if (!/^[a-z0-9][a-z0-9.-]{0,119}$/.test(name) || name.endsWith('.')) {
    throw new TypeError('a name of a credential is 1 to 120 lower case letters, digits, dots and hyphens')
  }
  return name
}
