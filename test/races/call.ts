import type { Store } from '@warder/store'

type CallOf<Operations, Noun> = {
  readonly [Operation in keyof Operations]: Operations[Operation] extends (...values: infer Values) => unknown
    ? { readonly noun: Noun; readonly operation: Operation; readonly values: Values }
    : never
}[keyof Operations]

/** One call of a store operation as data, for a process that is told what to do. */
export type Call =
  | {
      readonly [Noun in keyof Store]: Store[Noun] extends (...values: never[]) => unknown
        ? never
        : CallOf<Store[Noun], Noun>
    }[keyof Store]
  | CallOf<Pick<Store, 'sweep'>, undefined>

type Operations = Readonly<Record<PropertyKey, (...values: readonly unknown[]) => Promise<unknown>>>

export async function makeCall(store: Store, { noun, operation, values }: Call): Promise<unknown> {
  const operations = (noun === undefined ? store : store[noun]) as unknown as Operations
  return operations[operation]!(...values)
}
