import type { UserFetch, UserRequest } from '@warder/outbound'
import { hasDotSegment, Refusal, splitWebUri } from '@warder/protocol'
import { originOf } from './check-endpoint.ts'
import { isWithin } from './check-resource.ts'
import type { ClientParts } from './client-parts.ts'
import { isStepUpRefusal } from './decide-step-up.ts'
import { readServerChallenge, type ServerChallenge } from './read-challenge.ts'
import { readOperation } from './read-operation.ts'
import { type Renewed, renewTokens, stepUpTokens } from './renew-tokens.ts'
import type { Session } from './session.ts'
import type { SignedIn } from './signed-in.ts'
import { sendWithToken } from './tokens/dpop/send-with-token.ts'

/** A refresh, a sign-in, and once more where another process was at work in between. */
const maxRenewals = 3

/**
 * A fetch for the MCP server alone, with the user's token in the Authorization header of every request (CL-25, CL-26) and nowhere
 * else (CL-27). After a 401 the tokens are refreshed or the user signs in, after a 403 `insufficient_scope` the user is asked for
 * more as the policy allows, and the request is sent again. Bodies stream.
 *
 * Throws `server.other` for any URL but that of the server and below (CL-28), `SignInRequired`, and what a sign-in throws. A 401 or
 * 403 that nothing helps against is the answer, as the server sent it.
 */
export function makeAuthorizedFetch(parts: ClientParts, session: Session): UserFetch {
  return async (url, init) => {
    checkOwn(url, parts.server)
    let held: SignedIn | undefined = await session.current()
    let last: Renewed['how'] | undefined
    let renewals = 0
    for (;;) {
      const response = await send(parts, held, url, init)
      const challenge = readServerChallenge(response.headers)
      const about = { challenge, url, init, held }
      let renewed: Renewed | undefined
      if (response.status === 401 && last !== 'signed-in' && renewals < maxRenewals) {
        await response.body?.cancel()
        renewed = await renew(parts, session, { ...about, mayRefresh: last !== 'refreshed' })
        renewals += 1
      } else if (response.status === 403 && challenge.error === 'insufficient_scope' && held !== undefined) {
        renewed = await stepUp(parts, session, { ...about, held })
        await (renewed && response.body?.cancel())
      }
      if (renewed === undefined) return response
      held = renewed
      last = renewed.how
    }
  }
}

/** What a request has met. */
interface Met {
  readonly challenge: ServerChallenge
  readonly url: string
  readonly init: UserRequest
  readonly held: SignedIn | undefined
}

async function renew(
  parts: ClientParts,
  session: Session,
  { challenge, url, init, held, mayRefresh }: Met & { readonly mayRefresh: boolean },
): Promise<Renewed> {
  parts.trace({ step: 'challenge', outcome: 'done', url, data: { status: 401, ...challenge } })
  const rejected = held?.tokens.accessToken
  const request = { challenge, rejected, mayRefresh, operation: readOperation(init) }
  return until(init.signal, () =>
    session.join(`renew ${mayRefresh} ${rejected ?? ''}`, () => renewTokens(parts, session, request)),
  )
}

/** Undefined where the policy, the user or too many attempts say no. */
async function stepUp(
  parts: ClientParts,
  session: Session,
  { challenge, url, init, held }: Met & { readonly held: SignedIn },
): Promise<Renewed | undefined> {
  const { trace } = parts
  trace({ step: 'challenge', outcome: 'done', url, data: { status: 403, ...challenge } })
  const operation = readOperation(init)
  const key = `step-up ${challenge.scopes?.join(' ') ?? ''} ${operation}`
  try {
    const request = { challenge, used: held, operation }
    return await until(init.signal, () => session.join(key, () => stepUpTokens(parts, session, request)))
  } catch (error) {
    if (!isStepUpRefusal(error)) throw error
    trace({ step: 'step-up', outcome: 'refused', why: error.message, refusal: error.reason })
    return undefined
  }
}

function checkOwn(url: string, server: string): void {
  const rest = splitWebUri(url)?.rest
  const path = splitWebUri(server)?.rest.split('?', 1)[0] ?? ''
  const isPlain = rest !== undefined && !hasDotSegment(rest)
  if (!isPlain || originOf(url) !== originOf(server) || !isWithin(rest, path)) {
    throw new Refusal('server.other')
  }
}

async function send(
  { userFetch, dpop, now }: ClientParts,
  held: SignedIn | undefined,
  url: string,
  init: UserRequest,
): Promise<Response> {
  if (held === undefined) return userFetch(url, init)
  const method = init.method ?? 'GET'
  const others = Object.entries(init.headers ?? {}).filter(
    ([name]) => !/^(?:authorization|dpop)$/i.test(name),
  )
  const withToken = (headers: Readonly<Record<string, string>>): Promise<Response> =>
    userFetch(url, { ...init, headers: { ...Object.fromEntries(others), ...headers } })
  return sendWithToken({ tokens: held.tokens, dpop, method, url, now, send: withToken })
}

/**
 * A caller may stop waiting; the sign-in goes on, since others wait for it too. For one who is gone already
 * nothing begins.
 */
async function until<Value>(signal: AbortSignal | undefined, work: () => Promise<Value>): Promise<Value> {
  if (signal === undefined) return work()
  signal.throwIfAborted()
  let leave = (): void => {}
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
  })
  try {
    return await Promise.race([work(), left])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
