import type { OutboundFetch } from '@warder/outbound'
import { isJsonObject, type JsonObject, ownValue, Refusal, readStrictJson } from '@warder/protocol'
import { hideSecrets } from './hide-secrets.ts'
import { TokenEndpointError } from './token-endpoint-error.ts'

/** One form for an endpoint of an authorization server. */
export interface FormRequest {
  readonly url: string
  readonly fields: Readonly<Record<string, string>>
  /** Such as `authorization` and `dpop`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly outbound: OutboundFetch
  /** For everything together, in milliseconds. Default 30,000: a sign-in that waits for another system may be slow. */
  readonly timeoutMs?: number | undefined
  /** Told of the headers of every answer, whatever it is. */
  readonly sawHeaders?: ((headers: Headers) => void) | undefined
}

/** An answer of status 2xx. */
export interface FormAnswer {
  readonly status: number
  /** What stood in the body, if it was a JSON object; its content type is not looked at. */
  readonly json: JsonObject | undefined
}

const maxBytes = 256_000

/**
 * Posts a form, and answers what came back of status 2xx without an `error` in it (some servers say no with status 200).
 * Everything else throws a `TokenEndpointError`. Does not check that anything that was hoped for stands in the answer.
 */
export async function postForm(request: FormRequest): Promise<FormAnswer> {
  const { outbound, url, fields, headers, timeoutMs = 30_000 } = request
  const answer = await outbound(url, {
    method: 'POST',
    statuses: 'any',
    accept: 'application/json',
    headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...fields }).toString(),
    maxBytes,
    timeoutMs,
  }).catch((error: unknown) => {
    throw asTokenEndpointError(error)
  })
  request.sawHeaders?.(answer.headers)
  const json = readObject(answer.body)
  const error = json === undefined ? undefined : ownValue(json, 'error')
  const isFine = answer.status >= 200 && answer.status < 300
  if (isFine && (error === undefined || error === null || error === ''))
    return { status: answer.status, json }
  throw readError(answer.status, json, secretsOf(request))
}

const passing: ReadonlySet<string> = new Set(['outbound.timeout', 'outbound.unreachable'])

function asTokenEndpointError(error: unknown): TokenEndpointError {
  // Whatever is no refusal is a mistake of ours: it passes as it is.
  if (!(error instanceof Refusal)) throw error
  return passing.has(error.reason)
    ? new TokenEndpointError({ transient: true, cause: error })
    : new TokenEndpointError({ transient: false, reason: error.reason, cause: error })
}

/** Undefined for a body that is not one JSON object that everybody reads alike. */
function readObject(body: Uint8Array): JsonObject | undefined {
  try {
    const value = readStrictJson(body)
    return isJsonObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

function readError(
  status: number,
  json: JsonObject | undefined,
  secrets: readonly string[],
): TokenEndpointError {
  const error = json === undefined ? undefined : readWord(ownValue(json, 'error'), secrets)
  const said = json === undefined ? undefined : ownValue(json, 'error_description')
  return new TokenEndpointError({
    status,
    error,
    description: typeof said === 'string' ? hideSecrets(said, secrets) : undefined,
    transient: status >= 500 || status === 429 || error === 'temporarily_unavailable',
  })
}

/** An `error` is a word to compare and to show; one that repeats a secret of ours is none. */
function readWord(error: unknown, secrets: readonly string[]): string | undefined {
  if (typeof error !== 'string' || !/^[\w.:/-]{1,100}$/.test(error)) return undefined
  return hideSecrets(error, secrets) === error ? error : undefined
}

const secretFields = [
  'actor_token',
  'assertion',
  'client_assertion',
  'client_secret',
  'code',
  'code_verifier',
  'device_code',
  'refresh_token',
  'subject_token',
  'token',
]

function secretsOf({ fields, headers }: FormRequest): readonly string[] {
  const basic = /^Basic (.+)$/.exec(headers?.['authorization'] ?? '')?.[1]
  const sent = secretFields.map((name) => fields[name] ?? '')
  if (basic === undefined) return sent
  const encoded = Buffer.from(basic, 'base64').toString().split(':')[1] ?? ''
  return [...sent, basic, encoded, decodeURIComponent(encoded.replaceAll('+', ' '))]
}
