import { failed, passed } from '../proof.ts'
import {
  type Attempt,
  type Inside,
  isInvalidGrant,
  tokensWork,
  twinRefused,
  type Verdict,
} from './attempt.ts'
import type { ThrowawayClient } from './throwaway-client.ts'
import { readTokens } from './throwaway-client.ts'

/** More than the time in which a repeated refresh counts as a retry. */
const afterGraceMs = 60_000

/** What is tried at the authorization server; where another one issues the tokens, there is nothing of ours to try. */
export const signInAttempts: readonly Attempt[] = [
  {
    id: 'unregistered-redirect',
    title: 'Sign-in that ends at an unregistered address',
    rule: 'MCP AS-14, AS-23',
    run: withClient(async (client) => {
      const answer = await client.authorize(`${client.redirectUri}/elsewhere`)
      if (answer.location !== undefined || answer.status < 400)
        return failed(`answered ${answer.status}: the browser would be sent on`)
      const twin = await client.authorize(client.redirectUri)
      return twin.status === 303
        ? passed(`${answer.status}, and the browser is sent nowhere`)
        : failed(twinRefused)
    }),
  },
  {
    id: 'code-without-verifier',
    title: 'Code without its PKCE verifier',
    rule: 'OAuth 2.1 section 4.1.3; MCP AS-01',
    run: withClient(async (client, inside) => {
      const code = await client.signIn(inside.throwaway.endpoint, inside.case.scopes)
      const answer = await client.redeem(code, null)
      if (!isInvalidGrant(answer)) return failed(`answered ${answer.status}`)
      const tokens = readTokens(await client.redeem(code))
      return (await tokensWork(inside, tokens)) ? passed('400 invalid_grant') : failed(twinRefused)
    }),
  },
  {
    id: 'code-replayed',
    title: 'Code used a second time',
    rule: 'OAuth 2.1 section 4.1.3; MCP AS-01',
    run: withClient(async (client, inside) => {
      const code = await client.signIn(inside.throwaway.endpoint, inside.case.scopes)
      const tokens = readTokens(await client.redeem(code))
      if (!(await tokensWork(inside, tokens))) return failed('the first use did not work')
      if (!isInvalidGrant(await client.redeem(code))) return failed('tokens were given twice')
      return isInvalidGrant(await client.refresh(tokens.refresh))
        ? passed('400 invalid_grant, and the first tokens end')
        : failed('refused, but the first tokens live on')
    }),
  },
  {
    id: 'refresh-replayed',
    title: 'Refresh token used again later',
    rule: 'OAuth 2.1 section 4.3.1; MCP AS-13',
    run: withClient(async (client, inside) => {
      const { clock, endpoint } = inside.throwaway
      const first = readTokens(await client.redeem(await client.signIn(endpoint, inside.case.scopes)))
      const second = readTokens(await client.refresh(first.refresh))
      if (!(await tokensWork(inside, second))) return failed('the first use did not work')
      clock.ahead = afterGraceMs
      try {
        if (!isInvalidGrant(await client.refresh(first.refresh))) return failed('tokens were given again')
        return isInvalidGrant(await client.refresh(second.refresh))
          ? passed('400 invalid_grant, and the grant ends')
          : failed('refused, but its successor lives on')
      } finally {
        clock.ahead = 0
      }
    }),
  },
]

function withClient(
  run: (client: ThrowawayClient, inside: Inside) => Promise<Verdict>,
): (inside: Inside) => Promise<Verdict> {
  return async (inside) => {
    const { issuing } = inside.throwaway
    return issuing.kind === 'own' ? run(issuing.client, inside) : failed('there is no client')
  }
}
