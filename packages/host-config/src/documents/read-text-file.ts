import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Finding, FindingRule } from '../finding.ts'
import { leadsOut } from './where-it-leads.ts'

/** The history that Claude Code keeps in `~/.claude.json` makes it large; nothing real comes near this. */
const largest = 32 * 1024 * 1024

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A file's text, or why there is none. A file that is absent is neither: undefined. */
export interface ReadText {
  readonly text: string | undefined
  readonly hasMark: boolean
  readonly mode: number | undefined
  readonly findings: readonly Finding[]
}

/**
 * Reads a file that somebody else may have made: only a regular file (a named pipe would hang), bounded in
 * size, valid UTF-8. With `within`, a link that leads out of that directory is not followed: a checkout must
 * not choose what is read elsewhere.
 */
export function readTextFile(file: string, { within }: { within?: string } = {}): ReadText | undefined {
  const no = (rule: FindingRule, message: string): ReadText => ({
    text: undefined,
    hasMark: false,
    mode: undefined,
    findings: [{ level: 'error', rule, message, place: { file, line: 1, column: 1 } }],
  })
  let handle: number
  try {
    if (within !== undefined && existsSync(file) && leadsOut(file, within))
      return no('outside-project', 'This link leads out of the project; Warder does not follow it.')
    handle = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    return no('unreadable', `This file cannot be read (${code ?? 'unknown reason'}).`)
  }
  try {
    const stat = fstatSync(handle)
    if (!stat.isFile()) return no('not-a-file', 'This is not a regular file.')
    if (stat.size > largest) return no('too-large', `This file has more than ${largest} bytes.`)
    const bytes = readAll(handle)
    if (bytes === undefined) return no('too-large', `This file has more than ${largest} bytes.`)
    return decode(file, bytes, process.platform === 'win32' ? undefined : stat.mode & 0o7777)
  } catch (error) {
    return no(
      'unreadable',
      `This file cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}).`,
    )
  } finally {
    closeSync(handle)
  }
}

/** The size that `fstat` told may have changed since. */
function readAll(handle: number): Uint8Array | undefined {
  const parts: Uint8Array[] = []
  let size = 0
  for (;;) {
    const part = new Uint8Array(64 * 1024)
    const count = readSync(handle, part)
    if (count === 0) break
    size += count
    if (size > largest) return undefined
    parts.push(part.subarray(0, count))
  }
  return Buffer.concat(parts)
}

function decode(file: string, bytes: Uint8Array, mode: number | undefined): ReadText {
  const place = { file, line: 1, column: 1 }
  try {
    const text = utf8.decode(bytes)
    if (text.charCodeAt(0) !== 0xfeff) return { text, hasMark: false, mode, findings: [] }
    const message = 'This file begins with a byte order mark, which some hosts do not read.'
    const findings: readonly Finding[] = [{ level: 'warning', rule: 'byte-order-mark', message, place }]
    return { text: text.slice(1), hasMark: true, mode, findings }
  } catch {
    const message = 'This file is not valid UTF-8.'
    return {
      text: undefined,
      hasMark: false,
      mode,
      findings: [{ level: 'error', rule: 'encoding', message, place }],
    }
  }
}
