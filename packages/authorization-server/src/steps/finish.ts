import { isLoopbackRedirect, Refusal, redirectHost } from '@warder/protocol'
import type { ConsentKey, Transaction, User } from '@warder/store'
import { endTransactionCookie, transactionPath } from '../browser.ts'
import type { Answer } from '../message.ts'
import { seeOther } from '../page-response.ts'
import { redirectRefusal, redirectResponse } from '../redirect-response.ts'
import type { Services } from '../services.ts'
import { responseTarget, type StoredRequest } from '../stored-request.ts'
import { codeMs } from '../tokens/issue.ts'
import { hashSecret, makeId, makeSecret } from '../tokens/secret.ts'
import { isRememberable } from './decide-consent.ts'
import type { OtherServer } from './other-servers.ts'

type Needs = Pick<Services, 'store' | 'issuer' | 'now'>

/** Under which name the answers of this user about this client, redirect host and resource are kept. */
export function consentKey(user: User, asked: StoredRequest): ConsentKey {
  const { client, redirectUri, resource } = asked
  const host = redirectHost(redirectUri)
  // A program takes another port each time that it listens.
  const place = isLoopbackRedirect(redirectUri) ? host.replace(/:[0-9]+$/, '') : host
  return { userId: user.id, clientId: client.id, redirectHost: place, resource }
}

/**
 * Ends the transaction with a code for what was granted, and sends the browser back with it. Of two that try, one gets the
 * code; the other is told that the sign-in has ended. The caller has checked that the rules offer what is granted.
 */
export async function finishWithCode(
  { store, issuer, now }: Needs,
  proved: {
    readonly transaction: Transaction
    readonly asked: StoredRequest
    readonly user: User
    readonly granted: readonly string[]
    readonly declined: readonly string[]
    /** Nobody was asked: what the user said before must still stand when the code is made, and is not written anew. */
    readonly unasked?: boolean
    /** Other servers that the user allowed this client on the same page; only for clients whose yes may be remembered. */
    readonly others?: readonly OtherServer[]
  },
): Promise<Answer> {
  const { transaction, asked, user, granted, declined, unasked = false, others = [] } = proved
  const code = makeSecret('wac_')
  const key = consentKey(user, asked)
  const remembered = !unasked && isRememberable(asked) ? granted : []
  const clientDigest = asked.client.digest ?? ''
  const finished = await store.transactions.finishWithCode({
    id: transaction.id,
    unasked,
    grant: {
      id: makeId('wgr_'),
      userId: user.id,
      clientId: asked.client.id,
      clientClass: asked.client.class,
      resource: asked.resource,
      scopes: granted,
      clientName: asked.client.name,
      redirectHost: key.redirectHost,
      clientDigest,
    },
    code: {
      hash: hashSecret(code),
      redirectUri: asked.redirectUri,
      challenge: asked.challenge,
      expiresAt: now() + codeMs,
    },
    consents: [
      ...remembered.map((scope) => ({ key, scope, decision: 'granted' as const, clientDigest })),
      ...declined.map((scope) => ({ key, scope, decision: 'declined' as const })),
      ...others.flatMap(({ served, scopes }) =>
        scopes.map(({ name: scope }) => ({
          key: { ...key, resource: served.resource },
          scope,
          decision: 'granted' as const,
          clientDigest,
        })),
      ),
    ],
    now: now(),
  })
  // What the user had said was taken back in this moment, or the transaction has ended: its page tells which.
  if (!finished && unasked) return seeOther(transactionPath(issuer, transaction.id))
  if (!finished) throw new Refusal('transaction.unknown', { detail: 'it had ended before' })
  return redirectResponse(
    responseTarget(asked),
    issuer,
    { code },
    endTransactionCookie(issuer, transaction.id),
  )
}

/** Ends the transaction without a grant and sends the browser back with `access_denied`; a plain Deny remembers nothing. */
export async function finishWithDenial(
  { store, issuer, now }: Needs,
  proved: {
    readonly transaction: Transaction
    readonly asked: StoredRequest
    readonly refusal: Refusal
    /** Scopes that were switched off by hand, and by whom. */
    readonly declined?: { readonly user: User; readonly scopes: readonly string[] }
  },
): Promise<Answer> {
  const { transaction, asked, refusal, declined } = proved
  const consents =
    declined === undefined
      ? []
      : declined.scopes.map((scope) => ({
          key: consentKey(declined.user, asked),
          scope,
          decision: 'declined' as const,
        }))
  const finished = await store.transactions.finishWithDenial({ id: transaction.id, consents, now: now() })
  if (!finished) throw new Refusal('transaction.unknown', { detail: 'it had ended before' })
  return redirectRefusal(refusal, responseTarget(asked), issuer, endTransactionCookie(issuer, transaction.id))
}
