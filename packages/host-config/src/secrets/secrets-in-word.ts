import { inScript, type Says } from './literal-of.ts'
import { isSecretUnder, isSecretValue } from './looks-secret.ts'
import { beginsWithUrl, hasSecretInUrl } from './secret-in-url.ts'

/** A part of a word, from one offset to before another. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** Nobody nests `--env=NAME=VALUE` deeper; a file that does is not to exhaust the stack. */
const deepest = 8

/**
 * The parts of a word of a command that look like a secret: the value of `NAME=VALUE` and `NAME: VALUE`, what
 * stands behind an option such as `--token`, a URL with a credential, a token by its form; in a word with
 * blanks, the same for the words in it.
 */
export function findSecretsInWord(
  word: string,
  before: string | undefined,
  says: Says,
  depth = 0,
): readonly Span[] {
  const said = says(word)
  if (said === undefined) return []
  const whole: readonly Span[] = [{ from: 0, to: word.length }]
  if (followsSecretOption(word, said, before)) return whole
  if (beginsWithUrl(said)) {
    if (hasSecretInUrl(said)) return whole
    if (!/[\s;|]/.test(said)) return []
  }
  if (depth >= deepest) return isSecretValue(said) ? whole : []
  const pair = readPair(word, before)
  const parts = [
    ...(pair === undefined ? [] : findInPair(pair, says, depth)),
    ...findInJson(word, says),
    ...(/[\s;&|]/.test(word) ? findInScript(word, says, depth) : []),
  ]
  if (parts.length > 0) return parts
  // The value of a pair has been judged by itself.
  return isSecretValue(pair === undefined ? said : pair.name) ? whole : []
}

/** The same for a text of several words, as a shell reads them: quotes, `;`, `&` and `|` divide it. */
export function findInScript(text: string, says: Says, depth = 0): readonly Span[] {
  const found: Span[] = []
  let before: string | undefined
  for (const { 0: part, index } of text.matchAll(scriptWord)) {
    const word = part.replace(/^(["'])(.*)\1$/s, '$2')
    if (findSecretsInWord(word, before, inScript(says), depth + 1).length > 0)
      found.push({ from: index, to: index + part.length })
    before = word
  }
  return found
}

const scriptWord = /(?:\$\([^)]*\)|`[^`]*`|"[^"]*"|'[^']*'|[^\s"'`;|&()<>])+/g

function followsSecretOption(word: string, said: string, before = ''): boolean {
  return /^--?[A-Za-z][\w-]*$/.test(before) && !word.startsWith('-') && isSecretUnder(before, said)
}

interface Pair {
  readonly name: string
  readonly value: string
  /** Where in the word the value begins. */
  readonly at: number
  /** Whether the name tells what the value is. */
  readonly isNamed: boolean
}

const headerOption = /^(?:-H|--?headers?)$/i
const headerName = /^(?:-H)?(?:x-|(?:proxy-)?authorization$|(?:set-)?cookie$|api-?key$)/i

function readPair(word: string, before = ''): Pair | undefined {
  const [, start, name, divider, value] = /^((-{0,2}[A-Za-z_][\w.-]*)(\s*[=:]\s*))(\S.*)$/s.exec(word) ?? []
  if (start === undefined || name === undefined || divider === undefined || value === undefined)
    return undefined
  // A script that begins with a variable says no value: `TOKEN=$(cat FILE) server`.
  if (/\s/.test(value) && /^["']?(?:\$[A-Za-z_(]|`)/.test(value)) return undefined
  // A colon without a blank is also that of a port, a version, a scope.
  const isNamed = divider !== ':' || headerOption.test(before) || headerName.test(name)
  return { name, value, at: start.length, isNamed }
}

function findInPair({ name, value, at, isNamed }: Pair, says: Says, depth: number): readonly Span[] {
  const said = says(value)
  if (said === undefined) return []
  if (isNamed && isSecretUnder(name, said)) return [{ from: at, to: at + value.length }]
  return moveBy(at, findSecretsInWord(value, name, says, depth + 1))
}

function findInJson(word: string, says: Says): readonly Span[] {
  return [...word.matchAll(/("([\w.-]+)"\s*:\s*")((?:[^"\\]|\\.)*)"/gs)].flatMap(
    ({ index, 1: start = '', 2: name = '', 3: value = '' }) => {
      const said = says(value)
      const isSecret = said !== undefined && (isSecretUnder(name, said) || isSecretValue(said))
      return isSecret ? moveBy(index + start.length, [{ from: 0, to: value.length }]) : []
    },
  )
}

function moveBy(offset: number, spans: readonly Span[]): readonly Span[] {
  return spans.map(({ from, to }) => ({ from: from + offset, to: to + offset }))
}
