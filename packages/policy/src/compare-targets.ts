import type { ChangeNotes } from './change-notes.ts'
import type { ServerPolicy, TargetRule } from './policy.ts'
import { impliedScopes } from './scopes.ts'
import { isPlainName, isPlainUri, makeTargetIndex } from './target-index.ts'

type What = 'tools' | 'resources' | 'prompts'

/** Compares which scopes each name needs that either policy spells out, and each pattern. */
export function compareTargets(
  what: What,
  before: ServerPolicy,
  after: ServerPolicy,
  notes: ChangeNotes,
): void {
  const isPlain = what === 'resources' ? isPlainUri : isPlainName
  const old = makeTargetIndex(before[what], isPlain)
  const now = makeTargetIndex(after[what], isPlain)
  const noted = { wider: false, narrower: false }
  for (const match of new Set([...before[what], ...after[what]].map((rule) => rule.match))) {
    // A pattern is judged by a name that only it, or a broader one, covers.
    const sample = match.replaceAll('*', 'zq0')
    const place = `${after.name}: ${what.slice(0, -1)} ${match}`
    compareRules(old.find(sample), now.find(sample), after, {
      wider: (text) => {
        noted.wider = true
        notes.wider(`${place} ${text}`)
      },
      narrower: (text) => {
        noted.narrower = true
        notes.narrower(`${place} ${text}`)
      },
    })
  }
  // Names that several patterns cover may be decided by another one than before, unless patterns only came or went at the end.
  const [oldPatterns, nowPatterns] = [patternsOf(before[what]), patternsOf(after[what])]
  if (beginsWith(nowPatterns, oldPatterns)) return
  const words = `${after.name}: the patterns of ${what} overlap differently`
  if (!noted.narrower) notes.narrower(words)
  if (!noted.wider && !beginsWith(oldPatterns, nowPatterns)) notes.wider(words)
}

function compareRules(
  before: TargetRule | undefined,
  after: TargetRule | undefined,
  server: ServerPolicy,
  notes: ChangeNotes,
): void {
  const wasDenied = before === undefined || before.never
  const isDenied = after === undefined || after.never
  if (!wasDenied && !isDenied) compareNeeds(before, after, server, notes)
  else if (wasDenied && !isDenied) notes.wider(`can now be called with ${wordsOf(after.scopes)}`)
  else if (isDenied && !wasDenied) notes.narrower('is now denied to everybody')
}

function compareNeeds(before: TargetRule, after: TargetRule, server: ServerPolicy, notes: ChangeNotes): void {
  const [old, now] = [impliedScopes(server, before.scopes), impliedScopes(server, after.scopes)]
  const more = after.scopes.filter((scope) => !old.has(scope))
  const less = before.scopes.filter((scope) => !now.has(scope))
  if (more.length > 0) notes.narrower(`now needs ${wordsOf(more)}`)
  if (less.length > 0) notes.wider(`no longer needs ${wordsOf(less)}`)
}

const wordsOf = (scopes: readonly string[]): string => scopes.join(' ') || 'no scope'

const beginsWith = (patterns: readonly string[], start: readonly string[]): boolean =>
  start.every((pattern, at) => pattern === patterns[at])

const patternsOf = (rules: readonly TargetRule[]): readonly string[] =>
  rules
    .filter(({ match }) => match.includes('*'))
    .map(({ match, scopes, never }) => JSON.stringify([match, scopes.toSorted(), never]))
