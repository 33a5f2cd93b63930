import type { Knock } from '../../knock.ts'
import { challengeParameter } from '../probe.ts'
import { failed } from '../proof.ts'
import { type Attempt, callEndpoint, tryTheDoor } from './attempt.ts'
import { signAnew } from './throwaway-keys.ts'

const accessTokenMs = 10 * 60_000

function notInvalidToken(answer: Knock): string | undefined {
  if (answer.status !== 401) return `${answer.status} instead of 401`
  const error = challengeParameter(answer, 'error')
  return error === 'invalid_token' ? undefined : `401, but error is ${error ?? 'absent'}`
}

/** What is tried at the MCP endpoint with tokens. */
export const tokenAttempts: readonly Attempt[] = [
  {
    id: 'another-key',
    title: 'Token signed by a key that is not the issuer’s',
    rule: 'MCP RS-09; RFC 9068 section 4',
    async run({ throwaway, case: { open }, token }) {
      const good = await token()
      const forged = await signAnew(good)
      return tryTheDoor(throwaway, {
        attempt: () => callEndpoint(throwaway, forged, open),
        twin: () => callEndpoint(throwaway, good, open),
        judge: notInvalidToken,
        says: '401 invalid_token',
      })
    },
  },
  {
    id: 'another-audience',
    title: 'Token of the same issuer for another server',
    rule: 'MCP RS-10, RS-15; RFC 8707 section 2',
    async run({ throwaway, case: { open }, token }) {
      const other = await token({ resource: throwaway.elsewhere })
      const good = await token()
      return tryTheDoor(throwaway, {
        attempt: () => callEndpoint(throwaway, other, open),
        twin: () => callEndpoint(throwaway, good, open),
        judge: notInvalidToken,
        says: '401 invalid_token',
      })
    },
  },
  {
    id: 'expired',
    title: 'Token after its end',
    rule: 'MCP RS-12',
    async run({ throwaway, case: { open }, token }) {
      const good = await token()
      const at = async (ahead: number): Promise<Knock> => {
        throwaway.clock.ahead = ahead
        try {
          return await callEndpoint(throwaway, good, open)
        } finally {
          throwaway.clock.ahead = 0
        }
      }
      return tryTheDoor(throwaway, {
        attempt: () => at(accessTokenMs + 1_000),
        twin: () => at(0),
        judge: notInvalidToken,
        says: '401 invalid_token, ten minutes later',
      })
    },
  },
  {
    id: 'too-little-scope',
    title: 'Tool that needs a wider scope',
    rule: 'MCP RS-20, RS-21, RS-31',
    missing: ({ locked }) =>
      locked === undefined ? 'no tool needs more than any one scope gives' : undefined,
    async run({ throwaway, case: { locked }, token }) {
      if (locked === undefined) return failed('no case')
      const call = { kind: 'tool', name: locked.tool } as const
      const narrow = await token({ scopes: locked.scopes })
      const wide = await token()
      return tryTheDoor(throwaway, {
        attempt: () => callEndpoint(throwaway, narrow, call),
        twin: () => callEndpoint(throwaway, wide, call),
        judge: (answer) =>
          answer.status === 403 && challengeParameter(answer, 'error') === 'insufficient_scope'
            ? undefined
            : `${answer.status} instead of 403 insufficient_scope`,
        says: `403 insufficient_scope for ${locked.tool}`,
      })
    },
  },
  {
    id: 'hidden-tool',
    title: 'Tool that the policy gives nobody, or not this user',
    rule: 'MCP RS-31, RS-39',
    missing: ({ hidden }) => (hidden === undefined ? 'the policy hides no tool' : undefined),
    async run({ throwaway, case: { open, hidden = '' }, token }) {
      const wide = await token()
      const listed = listedTools(
        await callEndpoint(throwaway, wide, { kind: 'session', method: 'tools/list' }),
      )
      if (listed.includes(hidden)) return failed(`${hidden} is listed`)
      if (open.kind === 'tool' && !listed.includes(open.name)) return failed('an open tool is not listed')
      return tryTheDoor(throwaway, {
        attempt: () => callEndpoint(throwaway, wide, { kind: 'tool', name: hidden }),
        twin: () => callEndpoint(throwaway, wide, open),
        judge: ({ status, body }) =>
          body.includes('"error"') || body.includes('"isError":true') ? undefined : `answered ${status}`,
        says: `${hidden} is not listed and cannot be called`,
      })
    },
  },
]

function listedTools({ status, body }: Knock): readonly string[] {
  if (status !== 200) throw new Error(`tools/list was answered with ${status}`)
  const { result } = JSON.parse(body) as { readonly result: { readonly tools: { readonly name: string }[] } }
  return result.tools.map(({ name }) => name)
}
