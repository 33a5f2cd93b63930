import { compilePattern, type Pattern } from './pattern.ts'
import { makePatternIndex } from './pattern-index.ts'
import type { TargetRule } from './policy.ts'

/** The lines of `tools`, `resources` or `prompts`, ready for many look-ups. */
export interface TargetIndex {
  /** The first line that matches; undefined when there is none, which means: denied. */
  find(value: string): TargetRule | undefined
}

interface Line {
  readonly rule: TargetRule
  readonly pattern: Pattern
  readonly position: number
}

/**
 * Indexes lines by exact name, and patterns by how they begin and end, so that a look-up costs the same however many lines
 * there are. `isPlain` says whether a value may be matched by a pattern at all: what it rejects is found by its exact name
 * or not.
 */
export function makeTargetIndex(
  rules: readonly TargetRule[],
  isPlain: (value: string) => boolean,
): TargetIndex {
  const exact = new Map<string, Line>()
  const patterns = makePatternIndex<Line>()
  rules.forEach((rule, position) => {
    const line = { rule, pattern: compilePattern(rule.match), position }
    if (!line.pattern.isExact) patterns.add(line.pattern, line)
    else if (!exact.has(rule.match)) exact.set(rule.match, line)
  })
  return {
    find: (value) => {
      let first = exact.get(value)
      for (const lines of patterns.near(value)) first = firstOf(lines, value, first)
      // An odd value that a pattern would catch is nobody's: going on to a later line could turn a no into a yes.
      return first === undefined || first.pattern.isExact || isPlain(value) ? first?.rule : undefined
    },
  }
}

/** The first of the lines that matches, unless `known` stands before it. */
function firstOf(lines: readonly Line[], value: string, known: Line | undefined): Line | undefined {
  for (const line of lines) {
    if (known !== undefined && known.position < line.position) return known
    if (line.pattern.matches(value)) return line
  }
  return known
}

/**
 * Whether a tool or prompt name may be matched by a pattern: 1 to 128 visible ASCII characters. `delete_*` shall not open
 * names with look-alike letters, zero-width characters or trailing spaces (M09).
 */
export function isPlainName(name: string): boolean {
  if (name.length === 0 || name.length > 128) return false
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at)
    if (code < 0x21 || code > 0x7e) return false
  }
  return true
}

/**
 * Whether a resource URI may be matched by a pattern: no dot segments in any spelling, no backslash, no white space or
 * control characters, not encoded more than a few times over, at most 8,192 characters. `file:///docs/*` shall not open
 * `file:///docs/../secret`, which the server behind may well resolve.
 */
export function isPlainUri(uri: string): boolean {
  if (uri.length === 0 || uri.length > 8192) return false
  for (let at = 0; at < uri.length; at++) {
    const code = uri.charCodeAt(at)
    if (code <= 0x20 || code === 0x5c || code === 0x7f) return false
  }
  const decoded = decodeAscii(uri)
  if (decoded === undefined || hasControls(decoded)) return false
  // Some servers cut off what follows a semicolon within a segment.
  return !decoded.split(/[/\\?#;]/).some((segment) => segment === '.' || segment === '..')
}

const maxDecodings = 5

/** As whoever decodes as often as there is something to decode sees it; undefined where that goes on and on. */
function decodeAscii(text: string): string | undefined {
  let before = text
  for (let count = 0; count <= maxDecodings; count++) {
    const decoded = before.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    if (decoded === before) return decoded
    before = decoded
  }
  return undefined
}

function hasControls(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
