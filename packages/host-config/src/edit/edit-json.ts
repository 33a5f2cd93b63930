import { createScanner, findNodeAtLocation, type Node, parseTree } from 'jsonc-parser'
import type { EntryChange, EntryValue } from './entry.ts'

/** `SyntaxKind` of jsonc-parser, whose const enum a single file cannot import. */
const kinds = { comma: 5, lineComment: 12, blockComment: 13, lineBreak: 14, blanks: 15 } as const

/** A stretch of the text and what stands there instead. */
interface Splice {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** A JSON text with one entry changed. Not a character of anything else changes: comments, order, form. */
export function editJson(text: string, { path, name, entry }: EntryChange): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const start = text.trim() === '' ? `{}${eol}` : text
  const form = { eol, unit: unitOf(start) }
  const root = parseTree(start, [], { allowTrailingComma: true })!
  const full = [...path, name]
  const found = findNodeAtLocation(root, full)
  if (entry === undefined)
    return found?.parent === undefined ? start : splice(start, removal(start, found.parent))
  if (found !== undefined) {
    const value = writeValue(
      entry,
      isOneLine(start, found) ? undefined : indentAt(start, found.parent!.offset),
      form,
    )
    return splice(start, [{ start: found.offset, end: found.offset + found.length, text: value }])
  }
  // The deepest object that is there takes everything that is missing below it.
  let depth = full.length - 1
  while (depth > 0 && findNodeAtLocation(root, full.slice(0, depth)) === undefined) depth--
  const parent = depth === 0 ? root : findNodeAtLocation(root, full.slice(0, depth))!
  const missing = full.slice(depth + 1).reduceRight<EntryValue>((inner, key) => ({ [key]: inner }), entry)
  return splice(start, insertion(start, parent, full[depth]!, missing, form))
}

interface Form {
  readonly eol: string
  /** One level of indentation. */
  readonly unit: string
}

function splice(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.start - a.start)
    .reduce((result, { start, end, text: by }) => result.slice(0, start) + by + result.slice(end), text)
}

/** The first indented line tells. */
function unitOf(text: string): string {
  const [, indent = '  '] = /^([ \t]+)["}\]]/m.exec(text) ?? []
  return indent.startsWith('\t') ? '\t' : indent
}

function isOneLine(text: string, { offset, length }: Node): boolean {
  return length > 2 && !text.slice(offset, offset + length).includes('\n')
}

/** The blanks at the beginning of the line in which something stands. */
function indentAt(text: string, offset: number): string {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf('\n', offset - 1) + 1))?.[0] ?? ''
}

/** Without an indentation, in one line. */
function writeValue(value: EntryValue, indent: string | undefined, { eol, unit }: Form): string {
  return indent === undefined
    ? JSON.stringify(value)
    : JSON.stringify(value, null, unit).replaceAll('\n', eol + indent)
}

function insertion(
  text: string,
  parent: Node,
  key: string,
  value: EntryValue,
  form: Form,
): readonly Splice[] {
  const last = parent.children?.at(-1)
  const inOneLine = last !== undefined && isOneLine(text, parent)
  const indent =
    last === undefined || inOneLine ? indentAt(text, parent.offset) + form.unit : indentAt(text, last.offset)
  const member = `${JSON.stringify(key)}: ${writeValue(value, inOneLine ? undefined : indent, form)}`
  if (last === undefined) {
    const inside = text.slice(parent.offset + 1, parent.offset + parent.length - 1)
    const close = inside.trim() === '' ? form.eol + indentAt(text, parent.offset) : ''
    const at = parent.offset + 1
    return [
      { start: at, end: at + (close === '' ? 0 : inside.length), text: form.eol + indent + member + close },
    ]
  }
  const end = last.offset + last.length
  const after = readAfter(text, end)
  const added = (inOneLine ? ' ' : form.eol + indent) + member + (after.comma === undefined ? '' : ',')
  const at = inOneLine ? (after.comma ?? end) : after.end
  if (after.comma !== undefined) return [{ start: at, end: at, text: added }]
  // Two splices at one place would have no order.
  if (at === end) return [{ start: end, end, text: `,${added}` }]
  return [
    { start: end, end, text: ',' },
    { start: at, end: at, text: added },
  ]
}

/**
 * What stands behind a member: the place behind its comma, and the end of what belongs to its line, comments
 * included.
 */
function readAfter(text: string, from: number): { readonly comma: number | undefined; readonly end: number } {
  const scanner = createScanner(text, false)
  scanner.setPosition(from)
  let comma: number | undefined
  let end = from
  for (;;) {
    const token = Number(scanner.scan())
    if (token === kinds.comma && comma === undefined) {
      comma = scanner.getPosition()
      end = comma
    } else if (token === kinds.lineComment || token === kinds.blockComment) end = scanner.getPosition()
    else if (token !== kinds.blanks) return { comma, end }
  }
}

function removal(text: string, member: Node): readonly Splice[] {
  const siblings = member.parent?.children ?? []
  const before = siblings[siblings.indexOf(member) - 1]
  const after = readAfter(text, member.offset + member.length)
  const lineStart = text.lastIndexOf('\n', member.offset - 1) + 1
  const ownsStart = text.slice(lineStart, member.offset).trim() === ''
  const lineEnd = /^[ \t]*\r?\n/.exec(text.slice(after.end))
  const ownsLines = ownsStart && lineEnd !== null
  const own: Splice = ownsLines
    ? { start: lineStart, end: after.end + lineEnd[0].length, text: '' }
    : after.comma === undefined
      ? { start: skipBlanksBack(text, member.offset), end: member.offset + member.length, text: '' }
      : { start: member.offset, end: skipBlanks(text, after.comma), text: '' }
  if (after.comma !== undefined || before === undefined) return [own]
  // The last one goes, so the comma behind the one before it would be left over.
  const end = before.offset + before.length
  const comma = readAfter(text, end).comma!
  return [{ start: comma - 1, end: comma, text: '' }, own]
}

function skipBlanks(text: string, from: number): number {
  return from + (/^[ \t]*/.exec(text.slice(from))?.[0].length ?? 0)
}

function skipBlanksBack(text: string, from: number): number {
  return from - (/[ \t]*$/.exec(text.slice(0, from))?.[0].length ?? 0)
}
