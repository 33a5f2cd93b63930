import { coversTool, fullToolName, type RuleEffect, readToolRule, type ToolRule } from './tool-rule.ts'

/** What the rules say of a tool: the strongest rule that covers it, or that none does. */
export type ToolVerdict =
  | { readonly effect: RuleEffect; readonly rule: ToolRule }
  | { readonly effect: 'none' }

const strength: readonly RuleEffect[] = ['deny', 'ask', 'allow']

/**
 * What rules in Claude Code's syntax say of a tool, or of a call with its arguments: deny before ask before
 * allow, in whatever order they stand.
 */
export function decideTool(
  rules: readonly ToolRule[],
  server: string,
  tool: string,
  callArguments?: Readonly<Record<string, unknown>>,
): ToolVerdict {
  for (const effect of strength) {
    const rule = rules.find(
      (one) => one.effect === effect && coversTool(one, { server, tool }, callArguments),
    )
    if (rule !== undefined) return { effect, rule }
  }
  return { effect: 'none' }
}

/** As the bridge wants them (`ToolRules` there). */
export interface ServerToolRules {
  decide(
    toolName: string,
    callArguments?: Readonly<Record<string, unknown>>,
  ): { readonly allow: true } | { readonly allow: false; readonly reason: string }
}

/** What to decide by, besides the rules of settings files. */
export interface ServerToolOptions {
  /**
   * Only tools that one of these covers; absent: all. A name or pattern of tools of this server, or a whole
   * rule.
   */
  readonly allow?: readonly string[]
  readonly deny?: readonly string[]
  /** Names of tools that the host's own entry lets through, or not. */
  readonly tools?: { readonly only?: readonly string[]; readonly without?: readonly string[] }
  /**
   * What a rule that asks means here. `host`: the host asks, so the call passes. Default: nobody can ask, so
   * it does not.
   */
  readonly ask?: 'host' | 'refuse'
}

/**
 * Rules for the tools of one server. Rules of settings that allow only spare a question, so they let through
 * nothing that would not pass anyway; `allow` among the options is a list that everything else is kept out
 * by.
 */
export function serverToolRules(
  server: string,
  rules: readonly ToolRule[],
  { allow, deny = [], tools = {}, ask = 'refuse' }: ServerToolOptions = {},
): ServerToolRules {
  const given = (effect: RuleEffect, texts: readonly string[]): readonly ToolRule[] =>
    texts.map((text) => readGivenRule(effect, server, text))
  const all = [...rules.filter(({ effect }) => effect !== 'allow'), ...given('deny', deny)]
  const only = allow === undefined || allow.length === 0 ? undefined : given('allow', allow)
  return {
    decide(toolName, callArguments) {
      const verdict = decideTool(all, server, toolName, callArguments)
      if (verdict.effect === 'deny')
        return { allow: false, reason: `the rule "deny ${verdict.rule.text}" stands against it` }
      if (verdict.effect === 'ask' && ask === 'refuse')
        return {
          allow: false,
          reason: `the rule "ask ${verdict.rule.text}" wants a person's yes, and nobody can be asked here`,
        }
      if (tools.without?.includes(toolName))
        return { allow: false, reason: 'its entry in the list of servers leaves it out' }
      if (tools.only !== undefined && !tools.only.includes(toolName))
        return { allow: false, reason: 'its entry in the list of servers does not name it' }
      if (only === undefined || decideTool(only, server, toolName, callArguments).effect === 'allow')
        return { allow: true }
      return { allow: false, reason: `no rule allows it; allowed: ${allow!.join(', ')}` }
    },
  }
}

/**
 * A rule from the command line: `delete_*` means the tools of this server. Throws RangeError for what is no
 * rule.
 */
function readGivenRule(effect: RuleEffect, server: string, text: string): ToolRule {
  if (!text.startsWith('mcp__'))
    return { effect, text, pattern: fullToolName(server, '') + text.replace(/[^A-Za-z0-9_*-]/gu, '_') }
  const rule = readToolRule(effect, text)
  if (rule === undefined || typeof rule === 'string')
    throw new RangeError(`${JSON.stringify(text)}: ${rule ?? 'it is no rule for tools.'}`)
  return rule
}
