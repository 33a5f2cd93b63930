import { type HostNode, memberOf, textOf, textsOf } from '../documents/host-node.ts'
import type { Finding, FindingRule, Place } from '../finding.ts'
import type { Texts } from '../server-config.ts'

/**
 * Reads the fields of one entry and collects what is wrong with them. What it answers is of the type that was
 * asked for.
 */
export interface EntryReader {
  readonly findings: Finding[]
  fail(rule: FindingRule, message: string, place: Place): void
  warn(rule: FindingRule, message: string, place: Place): void
  has(key: string): boolean
  placeOf(...path: readonly (string | number)[]): Place
  text(key: string): string | undefined
  texts(key: string): readonly string[] | undefined
  table(key: string): Texts | undefined
  number(key: string): number | undefined
  flag(key: string): boolean | undefined
  /** A reader of the object in a field. */
  inner(key: string): EntryReader | undefined
  /** Refuses what no program argument can carry and warns of blanks that nobody sees, without the value. */
  checkText(text: string, path: readonly (string | number)[], what: string): void
  checkHeader(key: string, name: string, value: string): void
}

export function makeEntryReader(server: string, node: HostNode, findings: Finding[] = []): EntryReader {
  const add = (level: Finding['level'], rule: FindingRule, message: string, place: Place): void => {
    findings.push({ level, rule, message, place, server })
  }
  const wrong = (key: string, wanted: string, found: HostNode): undefined => {
    add('error', 'wrong-type', `${key} must be ${wanted}.`, found.place)
    return undefined
  }
  const field = (key: string): HostNode | undefined => {
    const found = memberOf(node, key)
    return found?.kind === 'null' ? undefined : found
  }
  /** What `pick` makes of a field that is there; a finding when it makes nothing of it. */
  const read = <T>(key: string, wanted: string, pick: (found: HostNode) => T | undefined): T | undefined => {
    const found = field(key)
    return found === undefined ? undefined : (pick(found) ?? wrong(key, wanted, found))
  }
  const placeOf = (...path: readonly (string | number)[]): Place =>
    path.reduce<HostNode>((at, step) => stepInto(at, step) ?? at, node).place
  const reader: EntryReader = {
    findings,
    fail: (rule, message, place) => add('error', rule, message, place),
    warn: (rule, message, place) => add('warning', rule, message, place),
    has: (key) => field(key) !== undefined,
    placeOf,
    text: (key) => read(key, 'a text', textOf),
    texts: (key) => read(key, 'a list of texts', textsOf),
    table: (key) => read(key, 'a table of texts', tableOf),
    number: (key) => read(key, 'a number', (found) => (found.kind === 'number' ? found.value : undefined)),
    flag: (key) =>
      read(key, 'true or false', (found) => (found.kind === 'boolean' ? found.value : undefined)),
    inner(key) {
      const found = read(key, 'an object', (at) => (at.kind === 'object' ? at : undefined))
      return found === undefined ? undefined : makeEntryReader(server, found, findings)
    },
    checkText(text, path, what) {
      if (text.includes('\0'))
        add('error', 'hidden-character', `There is a NUL character in ${what}.`, placeOf(...path))
      else if (text !== text.trim())
        add(
          'warning',
          'whitespace',
          `There are blanks at the beginning or the end of ${what}.`,
          placeOf(...path),
        )
    },
    checkHeader(key, name, value) {
      const place = placeOf(key, name)
      if (!isHeaderName(name)) add('error', 'wrong-type', 'This is not the name of a header.', place)
      if (!isHeaderValue(value))
        add('error', 'hidden-character', `The header ${nameForWords(name)} holds a control character.`, place)
      if (value !== value.trim() || name !== name.trim())
        add(
          'warning',
          'whitespace',
          `There are blanks at the beginning or the end of the header ${nameForWords(name)}.`,
          place,
        )
    },
  }
  return reader
}

function stepInto(node: HostNode, step: string | number): HostNode | undefined {
  return typeof step === 'string'
    ? memberOf(node, step)
    : node.kind === 'array'
      ? node.items[step]
      : undefined
}

/** A name that is one is safe to show; anything else might be a value in the wrong place. */
function nameForWords(name: string): string {
  return isHeaderName(name) ? name : '(unnamed)'
}

/** A header name as HTTP has it (RFC 9110 section 5.1). */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name)
}

/** A header value without what would begin another line (RFC 9110 section 5.5). */
export function isHeaderValue(value: string): boolean {
  return !/[^\t\x20-\x7e\u0080-\u00ff]/u.test(value)
}

function tableOf(node: HostNode): Texts | undefined {
  if (node.kind !== 'object') return undefined
  const table = Object.create(null) as Record<string, string>
  for (const { key, value } of node.members) {
    const text = textOf(value)
    if (text === undefined) return undefined
    table[key] = text
  }
  return table
}
