import { type AST, ParseError, parseTOML } from 'toml-eslint-parser'
import type { Finding, Place } from '../finding.ts'
import type { HostMember, HostNode } from './host-node.ts'

/** A table while it grows: `[a.b]`, `a.b = 1` and `[[a]]` all add to the tables that they name. */
interface Growing {
  readonly place: Place
  readonly members: {
    readonly key: string
    readonly keyPlace: Place
    value: HostNode | Growing | Growing[]
  }[]
}

/** What a text of TOML says, with the place of everything, and its first mistake. */
export function readToml(
  file: string,
  text: string,
): { readonly root: HostNode | undefined; readonly findings: readonly Finding[] } {
  const at = ({ loc }: AST.HasLocs): Place => ({ file, line: loc.start.line, column: loc.start.column + 1 })
  try {
    const [top] = parseTOML(text, { tomlVersion: '1.0' }).body
    const root: Growing = { place: { file, line: 1, column: 1 }, members: [] }
    for (const item of top.body) {
      if (item.type === 'TOMLKeyValue') addPair(root, item, at)
      else {
        const table = tableOf(root, item, at)
        for (const pair of item.body) addPair(table, pair, at)
      }
    }
    return { root: finish(root), findings: [] }
  } catch (error) {
    if (error instanceof ParseError) {
      const place = { file, line: error.lineNumber, column: error.column + 1 }
      // Its message quotes at most the character that it stumbled over.
      return {
        root: undefined,
        findings: [{ level: 'error', rule: 'syntax', message: 'This is not TOML from here on.', place }],
      }
    }
    if (error instanceof RangeError) {
      const place = { file, line: 1, column: 1 }
      return {
        root: undefined,
        findings: [{ level: 'error', rule: 'too-deep', message: 'This file nests too deeply.', place }],
      }
    }
    throw error
  }
}

type At = (node: AST.HasLocs) => Place

const nameOf = (key: AST.TOMLBare | AST.TOMLQuoted): string =>
  key.type === 'TOMLBare' ? key.name : key.value

function isGrowing(value: HostNode | Growing | Growing[]): value is Growing {
  return !Array.isArray(value) && !('kind' in value)
}

/**
 * The table that a name leads to from `table`, made where it is not there yet. Of a list of tables the last.
 */
function descend(table: Growing, key: AST.TOMLBare | AST.TOMLQuoted, at: At): Growing {
  const name = nameOf(key)
  const found = table.members.find((member) => member.key === name)?.value
  if (found === undefined) {
    const made: Growing = { place: at(key), members: [] }
    table.members.push({ key: name, keyPlace: at(key), value: made })
    return made
  }
  if (Array.isArray(found)) return found.at(-1)!
  if (isGrowing(found)) return found
  throw new RangeError('the parser lets no name be a value and a table')
}

function tableOf(root: Growing, item: AST.TOMLTable, at: At): Growing {
  const keys = item.key.keys
  if (item.kind === 'standard') {
    return keys.reduce((table, key) => descend(table, key, at), root)
  }
  const parent = keys.slice(0, -1).reduce((table, key) => descend(table, key, at), root)
  const last = keys.at(-1)!
  const made: Growing = { place: at(item), members: [] }
  const found = parent.members.find((member) => member.key === nameOf(last))
  if (found === undefined) parent.members.push({ key: nameOf(last), keyPlace: at(last), value: [made] })
  else if (Array.isArray(found.value)) found.value.push(made)
  return made
}

function addPair(table: Growing, pair: AST.TOMLKeyValue, at: At): void {
  const keys = pair.key.keys
  const parent = keys.slice(0, -1).reduce((inner, key) => descend(inner, key, at), table)
  const last = keys.at(-1)!
  parent.members.push({ key: nameOf(last), keyPlace: at(last), value: toNode(pair.value, at) })
}

function toNode(node: AST.TOMLContentNode, at: At): HostNode {
  const place = at(node)
  if (node.type === 'TOMLArray')
    return { kind: 'array', place, items: node.elements.map((item) => toNode(item, at)) }
  if (node.type === 'TOMLInlineTable') {
    const inner: Growing = { place, members: [] }
    for (const pair of node.body) addPair(inner, pair, at)
    return finish(inner)
  }
  if (node.kind === 'string') return { kind: 'text', place, value: node.value }
  if (node.kind === 'boolean') return { kind: 'boolean', place, value: node.value }
  if (node.kind === 'integer' || node.kind === 'float')
    return { kind: 'number', place, value: Number(node.value) }
  return { kind: 'other', place, value: node.datetime }
}

function finish(table: Growing): HostNode {
  const members = table.members.map(
    ({ key, keyPlace, value }): HostMember => ({
      key,
      keyPlace,
      value: Array.isArray(value)
        ? { kind: 'array', place: keyPlace, items: value.map(finish) }
        : isGrowing(value)
          ? finish(value)
          : value,
    }),
  )
  return { kind: 'object', place: table.place, members }
}
