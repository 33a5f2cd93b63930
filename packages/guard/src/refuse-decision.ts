import type { Call, Decision, Principal } from '@warder/policy'
import { isStatelessVersion, jsonRpcError, Refusal, refusals } from '@warder/protocol'
import type { RefusalAnswer, RefusalContext } from './refuse.ts'
import type { NextChallenge } from './repeated-challenges.ts'

/** A decision that did not open the call. */
export type Denial = Exclude<Decision, { readonly outcome: 'open' }>

/** What answering a denial needs of its guard. */
export interface DenialParts {
  readonly accountUrl: string | undefined
  refuse(refusal: Refusal, context: RefusalContext): RefusalAnswer
  /** Whether the principal finds the tool in its list, whatever the arguments of this call were. */
  isListed(principal: Principal, name: string): boolean
  nextChallenge(principal: Principal, scopes: readonly string[]): NextChallenge
}

/** The answer to a call that the policy did not open (design, "What a refusal looks like to an MCP client"). */
export function writeDenial(
  denial: Denial,
  call: Call,
  context: RefusalContext,
  parts: DenialParts,
): RefusalAnswer {
  return denial.outcome === 'locked'
    ? writeLocked(denial.needed, call, context, parts)
    : writeHidden(call, context, parts)
}

function writeLocked(
  needed: readonly string[],
  call: Call,
  context: RefusalContext,
  parts: DenialParts,
): RefusalAnswer {
  const challenge = new Refusal('scope.insufficient', { scopes: needed })
  // Only a tool has a result in which the model reads why; everything else stays a challenge.
  if (call.kind !== 'tool' || context.principal === undefined) return parts.refuse(challenge, context)
  switch (parts.nextChallenge(context.principal, needed)) {
    case 'challenge':
      return parts.refuse(challenge, context)
    case 'renew':
      return parts.refuse(new Refusal('token.expired', { detail: 'a wider token may be waiting' }), context)
    case 'explain':
      return writeToolError(explainDeclined(needed, parts.accountUrl), context)
  }
}

function explainDeclined(needed: readonly string[], accountUrl: string | undefined): string {
  const words = `${refusals['call.declined'].says} Needed: ${needed.join(' ')}.`
  return accountUrl === undefined ? words : `${words} Account page: ${accountUrl}`
}

function writeHidden(call: Call, context: RefusalContext, parts: DenialParts): RefusalAnswer {
  switch (call.kind) {
    case 'tool':
      return context.principal !== undefined && parts.isListed(context.principal, call.name)
        ? writeToolError(refusals['call.never'].says, context)
        : writeRpcError(-32602, `${refusals['call.unknown'].says}: ${echo(call.name)}`, context)
    case 'prompt':
      return writeRpcError(-32602, `Unknown prompt: ${echo(call.name)}`, context)
    case 'resource':
      return writeUnknownResource(call.uri, context)
    case 'session':
      return parts.refuse(new Refusal('scope.not-allowed'), context)
  }
}

/** -32002 was the code of revisions before 2026-07-28 and must not be used since (MCP GW-54). */
function writeUnknownResource(uri: string, context: RefusalContext): RefusalAnswer {
  const code = isStateless(context) ? -32602 : -32002
  return writeRpcError(code, 'Resource not found', context, { uri: echo(uri) })
}

function writeToolError(text: string, context: RefusalContext): RefusalAnswer {
  const result = { content: [{ type: 'text', text }], isError: true }
  const complete = isStateless(context) ? { resultType: 'complete', ...result } : result
  return writeOk({ jsonrpc: '2.0', id: context.id ?? null, result: complete })
}

function writeRpcError(
  code: number,
  message: string,
  context: RefusalContext,
  data?: unknown,
): RefusalAnswer {
  return writeOk(jsonRpcError(context.id, code, message, data))
}

function writeOk(body: object): RefusalAnswer {
  const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }
  return { status: 200, headers, body: JSON.stringify(body) }
}

function isStateless(context: RefusalContext): boolean {
  return context.era !== undefined && isStatelessVersion(context.era)
}

/** The caller's own words, and not many of them. */
function echo(text: string): string {
  return Array.from(text.slice(0, 400)).slice(0, 200).join('')
}
