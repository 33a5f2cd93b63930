import type { Place } from '../finding.ts'
import { globMatches } from '../policy/glob.ts'

export type RuleEffect = 'deny' | 'ask' | 'allow'

/**
 * A rule about tools in Claude Code's syntax, such as `mcp__tracker__delete_*` or
 * `mcp__tracker__move(folder:private)`.
 */
export interface ToolRule {
  readonly effect: RuleEffect
  /** As written. */
  readonly text: string
  /** What a full tool name is compared with; `*` is any characters. */
  readonly pattern: string
  /** The rule holds only for calls whose argument of this name fits. */
  readonly argument?: { readonly name: string; readonly pattern: string }
  readonly place?: Place
}

/** Claude Code writes `_` for every other character of a server's or a tool's name. */
export function plainPart(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/gu, '_')
}

/**
 * The name by which rules know a tool; plugins and connectors have their own prefixes in the server’s name.
 */
export function fullToolName(server: string, tool: string): string {
  return `mcp__${plainPart(server)}__${plainPart(tool)}`
}

/**
 * Reads a rule. In words why not, for one that Claude Code skips; undefined for one that is not about MCP
 * tools.
 */
export function readToolRule(effect: RuleEffect, text: string, place?: Place): ToolRule | string | undefined {
  const [, name, argument] = /^([^()]+?)(?:\((.*)\))?$/s.exec(text.trim()) ?? []
  if (name === undefined) return text.includes('mcp__') ? 'it is not written as a rule.' : undefined
  const isAboutMcp = name.startsWith('mcp__') || (name.includes('*') && globMatches(name, 'mcp__a__b'))
  if (!isAboutMcp && !/^[^_]*\*/.test(name)) return undefined
  const bad = effect === 'allow' ? unanchored(name) : undefined
  if (bad !== undefined) return bad
  const condition = argument === undefined ? undefined : readArgument(effect, argument)
  if (typeof condition === 'string') return condition
  return {
    effect,
    text,
    pattern: isBareServer(name) ? `${name}__*` : name,
    ...(condition === undefined ? {} : { argument: condition }),
    ...(place === undefined ? {} : { place }),
  }
}

/**
 * An allow rule with a star must say its server in full, or it would allow servers that nobody has thought
 * of.
 */
function unanchored(name: string): string | undefined {
  if (!name.includes('*') || /^mcp__[^*]+?__[^*]*\*/.test(name)) return undefined
  return 'an allow rule may have a star only behind the name of its server: mcp__SERVER__*.'
}

function isBareServer(name: string): boolean {
  return name.startsWith('mcp__') && !name.includes('*') && !name.slice('mcp__'.length).includes('__')
}

function readArgument(effect: RuleEffect, text: string): ToolRule['argument'] | string {
  const colon = text.indexOf(':')
  if (effect === 'allow') return 'only deny and ask rules may speak of an argument.'
  if (colon < 1) return 'what stands in brackets must be NAME:VALUE.'
  return { name: text.slice(0, colon).trim(), pattern: text.slice(colon + 1).trim() }
}

/**
 * Whether a rule covers a call of a server's tool. Without arguments (a list of tools) a rule about an argument
 * covers nothing.
 */
export function coversTool(
  rule: ToolRule,
  { server, tool }: { readonly server: string; readonly tool: string },
  callArguments: Readonly<Record<string, unknown>> | undefined,
): boolean {
  // The bare name of a server that has two underscores itself is only known as such beside that server.
  const isServer = rule.pattern === `mcp__${plainPart(server)}`
  if (!globMatches(rule.pattern, fullToolName(server, tool)) && !isServer) return false
  if (rule.argument === undefined) return true
  const { name, pattern } = rule.argument
  if (callArguments === undefined || !Object.hasOwn(callArguments, name)) return false
  const value = callArguments[name]
  return ['string', 'number', 'boolean'].includes(typeof value) && globMatches(pattern, String(value))
}
