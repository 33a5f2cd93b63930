import { type Form, Refusal, readCodeVerifier } from '@warder/protocol'
import type { Code } from '@warder/store'
import { checkResourceWithinGrant } from '../checks/check-resource.ts'
import type { Services } from '../services.ts'
import { clockSkewMs, codeMs, issueTokens, refreshIdleMs, type TokenAnswer } from '../tokens/issue.ts'
import { hashSecret, isSecret, makeSecret } from '../tokens/secret.ts'
import type { TokenClient } from './token-client.ts'

type Needs = Pick<Services, 'store' | 'issuer' | 'loadKeys' | 'now'>

/**
 * Exchanges a code for tokens (OAuth 2.1 section 4.1.3). Client, redirect URI, verifier and resource are proven before anything
 * changes; then the code is consumed, and only then is a token made. A second redemption ends the grant.
 */
export async function exchangeCode(form: Form, client: TokenClient, services: Needs): Promise<TokenAnswer> {
  const { store, loadKeys, now } = services
  const code = await loadCode(services, form, client)
  checkRedirectUriAgain(form, code)
  await checkVerifier(services, form, code)
  checkResourceWithinGrant(form.all('resource'), code.grant.resource)
  // Before the code is spent: without a key there would be nothing to give for it.
  await loadKeys()
  const refreshToken = client.mayRefresh ? makeSecret('wrt_') : undefined
  const redemption = await store.grants.redeemCode({
    codeHash: code.hash,
    refreshToken:
      refreshToken === undefined
        ? undefined
        : { hash: hashSecret(refreshToken), expiresAt: now() + refreshIdleMs },
    now: now(),
  })
  if (redemption.outcome === 'revoked') throw new Refusal('grant.revoked')
  if (redemption.outcome !== 'redeemed') throw new Refusal(`code.${redemption.outcome}`)
  return await issueTokens(services, { grant: code.grant, scopes: code.grant.scopes, refreshToken })
}

async function loadCode({ store, now }: Needs, form: Form, client: TokenClient): Promise<Code> {
  const presented = form.get('code')
  if (presented === undefined) throw new Refusal('parameter.missing', { detail: 'code' })
  const code = await store.grants.loadCode(hashSecret(presented))
  if (code === undefined) throw new Refusal('code.unknown')
  if (code.grant.clientId !== client.id) throw new Refusal('code.other-client', { detail: code.grant.id })
  // Issued before the clock was set back: it would live for longer than a minute.
  const isOfTheFuture = code.expiresAt - now() > codeMs + clockSkewMs
  if (isOfTheFuture && code.redeemedAt === undefined) throw new Refusal('code.expired', { detail: 'clock' })
  return code
}

/** OAuth 2.1 no longer sends the redirect URI here; clients of OAuth 2.0 do, and then it must be the same. */
function checkRedirectUriAgain(form: Form, code: Code): void {
  const redirectUri = form.get('redirect_uri')
  if (redirectUri !== undefined && redirectUri !== code.redirectUri) throw new Refusal('code.other-redirect')
}

async function checkVerifier({ store, now }: Needs, form: Form, code: Code): Promise<void> {
  const raw = form.get('code_verifier')
  // Every code has a challenge, so leaving the verifier out is a downgrade, not a mistake in form.
  if (raw === undefined) throw new Refusal('pkce.mismatch', { detail: 'no verifier' })
  // The challenge is to the verifier what a stored hash is to a secret: SHA-256 in base64url (RFC 7636 section 4.6).
  if (isSecret(readCodeVerifier(raw), code.challenge)) return
  await store.grants.countWrongVerifier(code.hash, now())
  throw new Refusal('pkce.mismatch', { detail: code.grant.id })
}
