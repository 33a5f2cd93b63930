import type { JsonObject } from '@warder/protocol'

/** What a rule says about one tool. */
export type ToolDecision = { readonly allow: true } | { readonly allow: false; readonly reason: string }

/**
 * Which tools a host may see and call. The bridge asks about each tool of a list and about each call, so that what is not listed
 * cannot be called either. There are no arguments while a list is read. `reason` is read by the model and by people.
 */
export interface ToolRules {
  decide(toolName: string, callArguments?: JsonObject): ToolDecision
}

/**
 * Rules from patterns, in which `*` stands for any characters and everything else for itself. A tool that a pattern of `deny`
 * fits is denied; where there are patterns in `allow`, one of them must fit.
 */
export function makeToolRules(patterns: {
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
}): ToolRules {
  const allow = (patterns.allow ?? []).map((text) => ({ text, fits: makePattern(text) }))
  const deny = (patterns.deny ?? []).map((text) => ({ text, fits: makePattern(text) }))
  return {
    decide: (toolName) => {
      const denied = deny.find(({ fits }) => fits(toolName))
      if (denied !== undefined)
        return { allow: false, reason: `the rule "deny ${denied.text}" stands against it` }
      if (allow.length === 0 || allow.some(({ fits }) => fits(toolName))) return { allow: true }
      return {
        allow: false,
        reason: `no rule allows it; allowed: ${allow.map(({ text }) => text).join(', ')}`,
      }
    },
  }
}

/** Without a regular expression, which a pattern with many stars could make slow. */
function makePattern(text: string): (name: string) => boolean {
  const [first = '', ...rest] = text.split('*')
  const last = rest.pop()
  if (last === undefined) return (name) => name === first
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length)
      return false
    const end = name.length - last.length
    let at = first.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found === -1 || found + part.length > end) return false
      at = found + part.length
    }
    return true
  }
}
