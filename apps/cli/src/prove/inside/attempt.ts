import { createUserFetch } from '@warder/outbound'
import type { Call } from '@warder/policy'
import { type Knock, knock, modernRequest } from '../../knock.ts'
import { failed, type ProofRow, passed } from '../proof.ts'
import type { Case } from './find-case.ts'
import type { Throwaway } from './open-throwaway.ts'
import { type GivenTokens, readTokens } from './throwaway-client.ts'
import type { Visited } from './visit.ts'

export type Verdict = Pick<ProofRow, 'outcome' | 'says'>

/** What the attempts share. */
export interface Inside {
  readonly throwaway: Throwaway
  readonly case: Case
  /** An access token with all scopes, for the endpoint unless another resource is named. */
  token(asked?: { readonly resource?: string; readonly scopes?: readonly string[] }): Promise<string>
}

/** One attempt. */
export interface Attempt {
  readonly id: string
  readonly title: string
  readonly rule: string
  /** Why the policy has no case for it, or undefined: it has one. */
  missing?(found: Case): string | undefined
  run(inside: Inside): Promise<Verdict>
}

/** The throwaway is on this computer, and no proxy leads there. */
const fetch = createUserFetch()

/** Calls the throwaway endpoint. */
export function callEndpoint({ endpoint }: Throwaway, token: string, call: Call): Promise<Knock> {
  const { message, headers } =
    call.kind === 'tool'
      ? modernRequest('tools/call', { name: call.name, arguments: {} })
      : modernRequest('tools/list')
  return knock(fetch, endpoint, { message, headers: { ...headers, authorization: `Bearer ${token}` } })
}

/** Whether something makes its way to the server behind. */
async function reaches({ stub }: Throwaway, act: () => Promise<Knock>): Promise<Knock | undefined> {
  const before = stub.calls()
  const answer = await act()
  return stub.calls() > before && answer.status === 200 ? answer : undefined
}

/**
 * The attempt must be refused as `judge` says, without the server behind hearing of it; and its twin, the same with nothing
 * wrong, must get there, else the refusal proves nothing.
 */
export async function tryTheDoor(
  throwaway: Throwaway,
  tried: {
    readonly attempt: () => Promise<Knock>
    readonly twin: () => Promise<Knock>
    /** What is wrong with the refusal, or undefined. */
    readonly judge: (answer: Knock) => string | undefined
    readonly says: string
  },
): Promise<Verdict> {
  const before = throwaway.stub.calls()
  const answer = await tried.attempt()
  if (throwaway.stub.calls() > before) return failed('it reached the server behind')
  const wrong = tried.judge(answer)
  if (wrong !== undefined) return failed(wrong)
  return (await reaches(throwaway, tried.twin)) === undefined ? failed(twinRefused) : passed(tried.says)
}

export const twinRefused = 'refused, but so was the same with nothing wrong: this proves nothing'

/** Whether tokens open the endpoint. */
export async function tokensWork({ throwaway, case: found }: Inside, tokens: GivenTokens): Promise<boolean> {
  return (await reaches(throwaway, () => callEndpoint(throwaway, tokens.access, found.open))) !== undefined
}

/** Whether the token endpoint refused with `invalid_grant`. */
export function isInvalidGrant({ status, body }: Visited): boolean {
  return status === 400 && (JSON.parse(body) as { readonly error?: unknown }).error === 'invalid_grant'
}

/** The attempts' source of tokens: real sign-ins, or the keys that stand for another authorization server. */
export function tokenSource({ endpoint, issuing }: Throwaway, found: Case): Inside['token'] {
  const make = async (resource: string, scopes: readonly string[]): Promise<string> => {
    if (issuing.kind === 'own') {
      const given = await issuing.client.signIn(resource, scopes)
      return readTokens(await issuing.client.redeem(given)).access
    }
    return issuing.keys.sign({
      iss: issuing.issuer,
      aud: resource,
      sub: found.user.name,
      client_id: found.client.id ?? 'throwaway',
      scope: scopes.join(' '),
    })
  }
  let wide: Promise<string> | undefined
  return ({ resource = endpoint, scopes } = {}) => {
    if (resource !== endpoint || scopes !== undefined) return make(resource, scopes ?? found.scopes)
    wide ??= make(endpoint, found.scopes)
    return wide
  }
}
