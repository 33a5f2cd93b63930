import type { Refusal } from '@warder/protocol'
import { jsonResponse } from './json-response.ts'
import type { Answer } from './message.ts'

/** Answers a program with an OAuth error (RFC 6749 section 5.2). Says what the catalogue says and echoes no input. */
export function oauthErrorResponse(refusal: Refusal, headers: Readonly<Record<string, string>> = {}): Answer {
  const { status, error, says } = refusal.rule
  return jsonResponse({ error, error_description: plainDescription(says) }, status, {
    ...challenge(refusal),
    ...retryAfter(refusal),
    ...headers,
  })
}

/** RFC 9110 section 15.5.2: every 401 names a scheme. Nothing that is sent by it is taken here. */
function challenge({ reason, rule }: Refusal): Record<string, string> {
  if (rule.status !== 401) return {}
  const scheme = reason === 'registration.token' ? 'Bearer error="invalid_token"' : 'Basic realm="warder"'
  return { 'WWW-Authenticate': scheme }
}

/** The characters that RFC 6749 allows in `error_description`. */
export function plainDescription(says: string): string {
  return says.replace(/[^\x20\x21\x23-\x5b\x5d-\x7e]/g, '')
}

/** `Retry-After` where waiting helps: what the refusal says, or two seconds for trouble of our own. */
export function retryAfter(refusal: Refusal): Record<string, string> {
  const seconds = refusal.notes.retryAfter ?? (refusal.rule.status === 503 ? 2 : undefined)
  return seconds === undefined ? {} : { 'Retry-After': String(seconds) }
}
