import type { Call, Decision, ServerPolicy, TargetRule } from '@warder/policy'

/**
 * The names that the policy spells out and that this caller must not see. Names that only a pattern covers, or that nothing
 * covers, are not among them: free text cannot be searched for what nobody wrote down.
 */
export function hiddenNames(server: ServerPolicy, decide: (call: Call) => Decision): readonly string[] {
  const exact = (rules: readonly TargetRule[]): readonly string[] =>
    rules.map((rule) => rule.match).filter((match) => !match.includes('*'))
  const isHidden = (call: Call): boolean => decide(call).outcome === 'hidden'
  return [
    ...exact(server.tools).filter((name) => isHidden({ kind: 'tool', name })),
    ...exact(server.prompts).filter((name) => isHidden({ kind: 'prompt', name })),
    ...exact(server.resources).filter((uri) => isHidden({ kind: 'resource', uri })),
  ]
}

/** Whether one of the names stands in the text as a word of its own. */
export function mentions(text: string, names: readonly string[]): boolean {
  return names.some((name) => {
    for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
      if (!isWordPart(text[at - 1]) && !isWordPart(text[at + name.length])) return true
    }
    return false
  })
}

function isWordPart(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_-]/u.test(character)
}

/** Whether one of the names stands in a text or a member name anywhere in a JSON value. */
export function mentionsAnywhere(value: unknown, names: readonly string[]): boolean {
  if (typeof value === 'string') return mentions(value, names)
  if (Array.isArray(value)) return value.some((item) => mentionsAnywhere(item, names))
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, item]) => mentions(key, names) || mentionsAnywhere(item, names))
}

/** The text without the lines in which one of the names stands. */
export function withoutLinesAbout(text: string, names: readonly string[]): string {
  const lines = text.split('\n')
  return lines.filter((line) => !mentions(line, names)).join('\n')
}
