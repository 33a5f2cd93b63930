import type { NodeReader, Place } from './read-node.ts'

/** Reads the groups of the file: each a list of users, by the names that `who: { user: … }` has for them. */
export function readGroups(
  reader: NodeReader,
  place: Place | undefined,
): ReadonlyMap<string, readonly string[]> | undefined {
  if (place === undefined) return undefined
  const groups = new Map<string, readonly string[]>()
  for (const entry of reader.entries(place, 'groups')) {
    const members = reader.texts(entry.value, `group ${entry.name}`).map(([name]) => name)
    groups.set(entry.name, [...new Set(members)])
  }
  return groups
}
