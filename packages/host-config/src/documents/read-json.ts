import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Finding, Place } from '../finding.ts'
import type { HostMember, HostNode } from './host-node.ts'

/** How a host reads JSON: `strict` takes neither comments nor a comma at the end, `comments` takes both. */
export type JsonStyle = 'strict' | 'comments'

const deepest = 100

/** What a text of JSON says, with the place of everything, and each mistake in it. */
export function readJson(
  file: string,
  text: string,
  style: JsonStyle,
): { readonly root: HostNode | undefined; readonly findings: readonly Finding[] } {
  const placeAt = makePlaces(file, text)
  const tooDeep = (): { root: undefined; findings: readonly Finding[] } => ({
    root: undefined,
    findings: [
      {
        level: 'error',
        rule: 'too-deep',
        message: `This file nests deeper than ${deepest} levels.`,
        place: placeAt(0),
      },
    ],
  })
  if (text.trim() === '') return { root: undefined, findings: [] }
  const findings: Finding[] = []
  let tree: Node | undefined
  try {
    const errors: ParseError[] = []
    tree = parseTree(text, errors, { allowTrailingComma: true })
    if (errors.length > 0)
      return { root: undefined, findings: errors.map((error) => syntaxFinding(error, placeAt)) }
    if (style === 'strict') findings.push(...strictFindings(text, placeAt))
  } catch (error) {
    // The parser recurses: a file of nothing but brackets exhausts the stack.
    if (error instanceof RangeError) return tooDeep()
    throw error
  }
  if (tree === undefined) return { root: undefined, findings }
  if (isTooDeep(tree)) return tooDeep()
  return { root: toNode(tree, placeAt, findings), findings }
}

function syntaxFinding({ error, offset }: ParseError, placeAt: (offset: number) => Place): Finding {
  const message = `This is not JSON: ${wordsOf(printParseErrorCode(error))}.`
  return { level: 'error', rule: 'syntax', message, place: placeAt(offset) }
}

/** What a strict reader stumbles over in a text that a lenient one takes. */
function strictFindings(text: string, placeAt: (offset: number) => Place): readonly Finding[] {
  const errors: ParseError[] = []
  parseTree(text, errors, { allowTrailingComma: false, disallowComments: true })
  const offsets = [...new Set(errors.map(({ offset }) => offset))]
  return offsets.map((offset): Finding => {
    const what = text.startsWith('/', offset) ? 'comments' : 'comma before a closing bracket'
    const message = `This host reads strict JSON, which has no ${what}.`
    return { level: 'error', rule: 'not-strict-json', message, place: placeAt(offset) }
  })
}

/** `CommaExpected` → `comma expected`. */
function wordsOf(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase()
}

function isTooDeep(tree: Node): boolean {
  let level: readonly Node[] = [tree]
  // A member is a level of its own in this tree, so an object in an object is two.
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > 2 * deepest) return true
    level = level.flatMap((node) => node.children ?? [])
  }
  return false
}

function toNode(node: Node, placeAt: (offset: number) => Place, findings: Finding[]): HostNode {
  const place = placeAt(node.offset)
  switch (node.type) {
    case 'object':
      return { kind: 'object', place, members: toMembers(node, placeAt, findings) }
    case 'array':
      return {
        kind: 'array',
        place,
        items: (node.children ?? []).map((item) => toNode(item, placeAt, findings)),
      }
    case 'string':
      return { kind: 'text', place, value: String(node.value) }
    case 'number':
      return { kind: 'number', place, value: Number(node.value) }
    case 'boolean':
      return { kind: 'boolean', place, value: node.value === true }
    default:
      return { kind: 'null', place }
  }
}

function toMembers(
  node: Node,
  placeAt: (offset: number) => Place,
  findings: Finding[],
): readonly HostMember[] {
  const seen = new Set<string>()
  const members: HostMember[] = []
  for (const { children } of node.children ?? []) {
    const [key, value] = children ?? []
    if (key === undefined || value === undefined) continue
    const name = String(key.value)
    const keyPlace = placeAt(key.offset)
    if (seen.has(name))
      findings.push({
        level: 'warning',
        rule: 'duplicate-key',
        message: `The key ${JSON.stringify(name)} stands here a second time; hosts use the last.`,
        place: keyPlace,
      })
    seen.add(name)
    members.push({ key: name, keyPlace, value: toNode(value, placeAt, findings) })
  }
  return members
}

/** Line and column of an offset, by a table of line starts. */
function makePlaces(file: string, text: string): (offset: number) => Place {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { file, line: low + 1, column: offset - starts[low]! + 1 }
  }
}
