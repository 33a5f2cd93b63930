/** Names that Claude Code keeps for itself. */
export const reservedNames: ReadonlySet<string> = new Set([
  'workspace',
  'claude-in-chrome',
  'computer-use',
  'Claude Preview',
  'Claude Browser',
])

/** Names that mean something to programs that keep servers in plain objects. */
const dangerousNames = new Set(['__proto__', 'constructor', 'prototype'])

export function isDangerousName(name: string): boolean {
  return name === '' || dangerousNames.has(name)
}

// As in `@warder/protocol`, of which this package imports nothing; one table of the tests goes through both.
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/u

/** Whether a text has characters that nobody sees: two names with them may look alike. */
export function hasHiddenCharacter(text: string): boolean {
  return invisible.test(text)
}

/** Names that every host takes: those of `claude mcp add`, without the reserved ones. */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(name) && !isDangerousName(name) && !reservedNames.has(name)
}
