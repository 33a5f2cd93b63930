import { isAccessTokenType, type JsonObject, Refusal, readCompactJws } from '@warder/protocol'
import { plain } from '../output.ts'
import { momentInWords, type Span, spanInWords } from './in-words.ts'

/** What a token is compared with. */
export interface ExpectedToken {
  /** Seconds since 1970. */
  readonly now: number
  /** Where the sign-in was. */
  readonly issuer?: string | undefined
  /** What the server calls itself. */
  readonly resource?: string | undefined
}

/** What an access token says of itself. Nothing of it is verified. */
export interface ExplainedToken {
  readonly form: 'jwt' | 'opaque'
  readonly issuer?: string
  readonly audience?: readonly string[]
  /** Seconds since 1970. */
  readonly expiresAt?: number
  readonly issuedAt?: number
  readonly scopes?: readonly string[]
  readonly subject?: string
  readonly clientId?: string
  /** Why the server should refuse it, in words. */
  readonly problems: readonly string[]
  /** What is odd about it. */
  readonly remarks: readonly string[]
}

/** Seconds by which clocks may differ; what servers allow for, too. */
const skew = 60

/**
 * Reads the four claims of an access token that matter to a client: who issued it, for which resource, until when and what for; and
 * says where they do not fit the server. An opaque token says nothing of itself. Checks no signature: only the server knows
 * whether the token counts.
 */
export function explainToken(token: string, expected: ExpectedToken): ExplainedToken {
  const jws = readJws(token)
  if (jws === undefined) return { form: 'opaque', problems: [], remarks: [] }
  const { header, payload } = jws
  const claims = readClaims(payload)
  return {
    form: 'jwt',
    ...claims,
    problems: [
      ...(header['alg'] === 'none' ? ['It is not signed, so anybody could have written it.'] : []),
      ...problemsOfTime(payload, expected.now),
      ...problemsOfPlace(claims, expected),
    ],
    remarks: [...remarksOfKind(header, payload), ...remarksOfClaims(claims, expected.now)],
  }
}

function readJws(token: string): { header: JsonObject; payload: JsonObject } | undefined {
  try {
    return readCompactJws(token)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

type Claims = Omit<ExplainedToken, 'form' | 'problems' | 'remarks'>

function readClaims(payload: JsonObject): Claims {
  const { iss, aud, exp, iat, sub, client_id: clientId } = payload
  const audience = typeof aud === 'string' ? [aud] : textsOf(aud)
  const scopes = scopesOf(payload['scope'] ?? payload['scp'])
  return {
    ...(typeof iss === 'string' && { issuer: iss }),
    ...(audience !== undefined && { audience }),
    ...(isTime(exp) && { expiresAt: exp }),
    ...(isTime(iat) && { issuedAt: iat }),
    ...(scopes !== undefined && { scopes }),
    ...(typeof sub === 'string' && { subject: sub }),
    ...(typeof clientId === 'string' && { clientId }),
  }
}

const isTime = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < 1e11

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined
}

/** RFC 9068 has one string; Entra ID and Okta have `scp`, as a string or a list. */
function scopesOf(value: unknown): readonly string[] | undefined {
  return typeof value === 'string' ? value.split(' ').filter((scope) => scope !== '') : textsOf(value)
}

function problemsOfTime({ exp, nbf }: JsonObject, now: number): readonly string[] {
  const ago = (seconds: number): Span => spanInWords(Math.abs(seconds))
  if (isTime(exp) && exp <= now) return [`It ended ${ago(now - exp)} ago.`]
  if (isTime(nbf) && nbf > now + skew) {
    return [`It counts from ${ago(nbf - now)} from now on, or the clock of this computer is behind.`]
  }
  return []
}

function problemsOfPlace({ issuer, audience }: Claims, expected: ExpectedToken): readonly string[] {
  const isElsewhere = issuer !== undefined && expected.issuer !== undefined && issuer !== expected.issuer
  const isForOthers =
    audience !== undefined && expected.resource !== undefined && !audience.includes(expected.resource)
  return [
    ...(isElsewhere ? [`It names another issuer than the one where you signed in, ${expected.issuer}.`] : []),
    ...(isForOthers ? [`It is not for this server, which calls itself ${expected.resource}.`] : []),
  ]
}

function remarksOfKind(header: JsonObject, payload: JsonObject): readonly string[] {
  const type = header['typ']
  if (type === undefined || isAccessTokenType(type)) return []
  return 'nonce' in payload || 'at_hash' in payload
    ? ['It looks like an ID token, which tells a client who has signed in. MCP servers must refuse those.']
    : []
}

function remarksOfClaims({ audience, expiresAt, issuedAt, scopes }: Claims, now: number): readonly string[] {
  return [
    ...(audience === undefined ? ['It does not say for which server it is: any server might take it.'] : []),
    ...(audience !== undefined && audience.length > 1
      ? ['It is for more than one server: each of them could use it at the others.']
      : []),
    ...(expiresAt === undefined ? ['It does not say when it ends.'] : []),
    ...(scopes === undefined ? ['It does not say what it is good for; the server may know.'] : []),
    ...(issuedAt !== undefined && issuedAt > now + skew
      ? [`It was issued ${spanInWords(issuedAt - now)} from now: the clock of this computer is behind.`]
      : []),
  ]
}

/** The same as rows of label and words, for a terminal. Texts that come from the token are made harmless. */
export function tokenRows(explained: ExplainedToken, now: number): readonly (readonly [string, string])[] {
  if (explained.form === 'opaque') {
    return [['form', 'opaque: it says nothing of itself; only the server knows what it is good for']]
  }
  const { issuer, audience, expiresAt, scopes, subject, clientId } = explained
  const words = (texts: readonly string[] | undefined): string | undefined =>
    texts?.map(plain).join(texts.length > 1 ? ', ' : '')
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['issued by', issuer === undefined ? 'it does not say' : plain(issuer)],
    ['for', words(audience) ?? 'it does not say'],
    ['ends', expiresAt === undefined ? 'it does not say' : momentInWords(expiresAt, now)],
    ['may', scopes === undefined ? 'it does not say' : plain(scopes.join(' ')) || 'nothing'],
    ['of user', subject === undefined ? undefined : plain(subject)],
    ['of client', clientId === undefined ? undefined : plain(clientId)],
  ]
  return rows.filter((row): row is readonly [string, string] => row[1] !== undefined)
}
