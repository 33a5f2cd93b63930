/** A value of an entry that is to be written. */
export type EntryValue =
  | string
  | number
  | boolean
  | readonly EntryValue[]
  | { readonly [key: string]: EntryValue }

/** An entry in the words of its host. */
export interface Entry {
  readonly [key: string]: EntryValue
}

/** A change to one table of servers: an entry to write, or none to take it out. */
export interface EntryChange {
  /** The keys that lead to the table. */
  readonly path: readonly string[]
  readonly name: string
  readonly entry: Entry | undefined
}
