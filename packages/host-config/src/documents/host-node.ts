import type { Finding, Place } from '../finding.ts'

/**
 * A value of a configuration file with its place. Objects are lists of members, so that no name (`__proto__`)
 * means anything to the program that reads them, and a key that stands twice is still there twice.
 */
export type HostNode =
  | { readonly kind: 'object'; readonly place: Place; readonly members: readonly HostMember[] }
  | { readonly kind: 'array'; readonly place: Place; readonly items: readonly HostNode[] }
  | { readonly kind: 'text'; readonly place: Place; readonly value: string }
  | { readonly kind: 'number'; readonly place: Place; readonly value: number }
  | { readonly kind: 'boolean'; readonly place: Place; readonly value: boolean }
  | { readonly kind: 'null'; readonly place: Place }
  /** A value that JSON does not have, such as a date of TOML. */
  | { readonly kind: 'other'; readonly place: Place; readonly value: string }

export interface HostMember {
  readonly key: string
  readonly keyPlace: Place
  readonly value: HostNode
}

/** A file as read: what could be read of it, and what was wrong. */
export interface HostDocument {
  readonly file: string
  readonly format: 'json' | 'toml'
  /** The text without its byte order mark. */
  readonly text: string
  /** Undefined when the text is empty or cannot be read at all. */
  readonly root: HostNode | undefined
  readonly findings: readonly Finding[]
  /** Permission bits, of POSIX files; undefined on Windows. */
  readonly mode: number | undefined
}

/** The value of a key; of a key that stands twice the last, as every host reads it. */
export function memberOf(node: HostNode | undefined, key: string): HostNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((member) => member.key === key)?.value : undefined
}

/** The value at a path of keys. */
export function nodeAt(node: HostNode | undefined, path: readonly string[]): HostNode | undefined {
  return path.reduce(memberOf, node)
}

/** The text of a node that is one. */
export function textOf(node: HostNode | undefined): string | undefined {
  return node?.kind === 'text' ? node.value : undefined
}

/** The texts of an array in which everything is a text; undefined otherwise. */
export function textsOf(node: HostNode | undefined): readonly string[] | undefined {
  if (node?.kind !== 'array') return undefined
  const texts = node.items.map(textOf)
  return texts.every((text) => text !== undefined) ? texts : undefined
}

/** The plain value of a node. Objects have no prototype, so that every key is only a key. */
export function plainValue(node: HostNode): unknown {
  if (node.kind === 'object') {
    const value = Object.create(null) as Record<string, unknown>
    for (const member of node.members) value[member.key] = plainValue(member.value)
    return value
  }
  if (node.kind === 'array') return node.items.map(plainValue)
  return node.kind === 'null' ? null : node.value
}
