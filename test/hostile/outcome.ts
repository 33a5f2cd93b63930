import { readChallenges } from '@warder/protocol'
import type { Got } from './send.ts'

/** What the answer of an OAuth endpoint for programs says: the status, and the error code where there is one. */
export function endpointOutcome({ status, headers, text }: Got): string {
  if (status === 0) return 'closed'
  const error = member(parse(text), 'error')
  if (error === undefined) return String(status)
  const isCached = !/no-store/.test(headers['cache-control'] ?? '')
  return `${status} ${String(error)}${isCached ? ' (cacheable)' : ''}`
}

/** Where an authorization request, or a form of its pages, led. */
export function browserOutcome(
  got: { readonly status: number; readonly location: string | undefined },
  asked: { readonly issuer: string; readonly state: string | undefined },
): string {
  if (got.status === 0) return 'closed'
  if (got.location === undefined) return `page ${got.status}`
  const url = new URL(got.location, asked.issuer)
  if (url.origin === new URL(asked.issuer).origin) return 'sign in'
  const params = url.search === '' ? new URLSearchParams(url.hash.slice(1)) : url.searchParams
  if (params.has('access_token')) return 'token in a URL'
  const missing = [
    ...(params.get('iss') === asked.issuer ? [] : ['no iss']),
    ...((params.get('state') ?? undefined) === asked.state ? [] : ['no state']),
    ...(got.status === 307 || got.status === 308 ? [String(got.status)] : []),
    ...(url.search === '' ? ['in the fragment'] : []),
  ]
  const error = params.get('error')
  const what = error !== null ? `redirect ${error}` : params.has('code') ? 'code' : 'redirect'
  return missing.length === 0 ? what : `${what} (${missing.join(', ')})`
}

/** What an MCP endpoint says, in the shorthand of the catalogue where it has one; `sentToken`: undefined where it is no bearer token. */
export function callOutcome(got: Got, sentToken: boolean | undefined): string {
  const { status } = got
  if (status === 0) return 'closed'
  const params = challengeOf(got)
  if (status === 401) {
    const isRight = params?.has('resource_metadata') === true && isToldOfToken(params, sentToken)
    return isRight ? 'RS401' : '401'
  }
  if (status === 403) {
    const isRight =
      params?.get('error') === 'insufficient_scope' && params.has('scope') && params.has('resource_metadata')
    return isRight ? 'RS403' : '403'
  }
  const message = lastMessage(got)
  const code = member(member(message, 'error'), 'code')
  if (status === 400 && code === -32020) return 'HM'
  if (code !== undefined) return `${status} ${String(code)}`
  return member(member(message, 'result'), 'isError') === true ? 'tool error' : String(status)
}

/** `error="invalid_token"` if and only if there was a token (RFC 6750 section 3.1). */
const isToldOfToken = (params: ReadonlyMap<string, string>, sentToken: boolean | undefined): boolean =>
  sentToken === undefined || (sentToken ? params.get('error') === 'invalid_token' : !params.has('error'))

function challengeOf({ headers }: Got): ReadonlyMap<string, string> | undefined {
  const challenge = readChallenges(headers['www-authenticate'] ?? '')[0]
  return challenge?.scheme.toLowerCase() === 'bearer' ? new Map(challenge.params) : undefined
}

function lastMessage({ headers, text }: Got): unknown {
  if (!/text\/event-stream/.test(headers['content-type'] ?? '')) return parse(text)
  const data = text.split('\n').filter((line) => line.startsWith('data:'))
  return parse(data.at(-1)?.slice(5) ?? '')
}

export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined
}
