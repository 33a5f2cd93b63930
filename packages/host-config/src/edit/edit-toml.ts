import { type AST, parseTOML } from 'toml-eslint-parser'
import type { Entry, EntryChange, EntryValue } from './entry.ts'

/** A stretch of whole lines. `isTable`: it begins with a header of its own. */
interface Stretch {
  readonly start: number
  readonly end: number
  readonly isTable: boolean
}

/**
 * A TOML text with one entry changed: its own lines are replaced or taken out, everything else stays as it
 * is. Undefined when the entry is part of an inline table, which only its author can put right.
 */
export function editToml(text: string, { path, name, entry }: EntryChange): string | undefined {
  const key = [...path, name]
  const stretches = findStretches(text, key)
  if (stretches === undefined) return undefined
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const block = entry === undefined ? '' : writeTable(key, entry, eol)
  const [first] = stretches
  let result = text
  for (const [at, { start, end }] of [...stretches.entries()].reverse()) {
    const replaced = at === 0 && first?.isTable === true ? block : ''
    // Two empty lines would be left where a table stood between two others.
    const rest =
      replaced === '' && /(?:^|\n)\r?\n$/.test(result.slice(0, start))
        ? result.slice(end).replace(/^\r?\n/, '')
        : result.slice(end)
    result = result.slice(0, start) + replaced + rest
  }
  if (block === '' || first?.isTable === true) return result
  const gap = result === '' ? '' : result.endsWith('\n') ? eol : eol + eol
  return result + gap + block
}

function findStretches(text: string, key: readonly string[]): readonly Stretch[] | undefined {
  const [top] = parseTOML(text, { tomlVersion: '1.0' }).body
  const stretches: Stretch[] = []
  for (const item of top.body) {
    const at = namesOf(item.key)
    // Where the table that holds the entry is written, its own lines count one by one.
    const isInside = item.type === 'TOMLTable' && !covers(key, at)
    if (isInside && !covers(at, key)) continue
    const lines = isInside ? item.body : [item]
    for (const line of lines) {
      const full = isInside ? [...at, ...namesOf(line.key)] : at
      if (covers(key, full)) stretches.push(linesOf(text, line, line.type === 'TOMLTable'))
      // `mcp_servers = { … }` closes the table: nothing can be added to it from outside.
      else if (covers(full, key)) return undefined
    }
  }
  return stretches
}

function namesOf({ keys }: AST.TOMLKey): readonly string[] {
  return keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))
}

/** Whether `inner` is `outer` or lies below it. */
function covers(outer: readonly string[], inner: readonly string[]): boolean {
  return outer.length <= inner.length && outer.every((part, at) => part === inner[at])
}

function linesOf(text: string, { range }: AST.HasLocs, isTable: boolean): Stretch {
  const start = text.lastIndexOf('\n', range[0] - 1) + 1
  const stop = text.indexOf('\n', range[1])
  return { start, end: stop === -1 ? text.length : stop + 1, isTable }
}

function writeTable(key: readonly string[], entry: Entry, eol: string): string {
  const lines = Object.entries(entry).map(([name, value]) => `${writeKey(name)} = ${writeValue(value)}`)
  return [`[${key.map(writeKey).join('.')}]`, ...lines, ''].join(eol)
}

function writeKey(name: string): string {
  return /^[A-Za-z0-9_-]+$/.test(name) ? name : writeText(name)
}

function writeValue(value: EntryValue): string {
  if (typeof value === 'string') return writeText(value)
  if (typeof value !== 'object') return String(value)
  if (Array.isArray(value)) return `[${value.map(writeValue).join(', ')}]`
  const pairs = Object.entries(value).map(
    ([name, inner]) => `${writeKey(name)} = ${writeValue(inner as EntryValue)}`,
  )
  return `{ ${pairs.join(', ')} }`
}

/** Texts of JSON are texts of TOML, but for one character that JSON leaves alone. */
function writeText(text: string): string {
  return JSON.stringify(text).replaceAll('\u007f', '\\u007f')
}
