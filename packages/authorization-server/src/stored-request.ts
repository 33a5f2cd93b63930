import type { ClientClass } from '@warder/policy'
import { type CodeChallenge, type RedirectUri, Refusal } from '@warder/protocol'
import type { Store, Transaction } from '@warder/store'
import type { Issuer, ServedResource } from './options.ts'

/**
 * An authorization request after all its checks: what the transaction keeps while the user signs in and consents. From here
 * on, it decides; nothing is read again from a form or query.
 */
export interface StoredRequest {
  readonly client: {
    readonly id: string
    readonly class: ClientClass
    readonly name: string
    /** Host of the document, where the client id is the URL of one. */
    readonly documentHost?: string
    /** What its document made of it when the request came; absent where there is none. */
    readonly digest?: string
  }
  readonly redirectUri: RedirectUri
  readonly state?: string
  readonly challenge: CodeChallenge
  readonly resource: string
  readonly scopes: readonly string[]
  /** `prompt=login`: an earlier sign-in does not count. */
  readonly signInAgain: boolean
  /** `prompt=consent`: an earlier consent does not count. */
  readonly askAgain: boolean
}

/** Loads a live transaction with the request in it, or throws `transaction.unknown`. */
export async function loadRequest(
  store: Store,
  id: string,
  now: number,
): Promise<{ readonly transaction: Transaction; readonly asked: StoredRequest }> {
  const transaction = await store.transactions.load(id, now)
  if (transaction === undefined) throw new Refusal('transaction.unknown')
  // Written by us after every check, so the brands in it are true.
  return { transaction, asked: JSON.parse(transaction.request) as StoredRequest }
}

/** The served resource of a stored request; it may have gone since. */
export function findServed(asked: StoredRequest, served: readonly ServedResource[]): ServedResource {
  const found = served.find(({ resource }) => resource === asked.resource)
  if (found === undefined) throw new Refusal('resource.unknown')
  return found
}

/** Where the answer to a stored request goes. */
export function responseTarget(asked: StoredRequest): {
  redirectUri: RedirectUri
  state: string | undefined
} {
  return { redirectUri: asked.redirectUri, state: asked.state }
}

/** The name that our own users have as the issuer's subjects in the policy. */
export function userIdentity(
  issuer: Issuer,
  user: { readonly id: string; readonly email: string; readonly role: 'owner' | 'user' },
): { issuer: string; subject: string; names: string[]; groups: string[] } {
  const names = [user.id, user.email, ...(user.role === 'owner' ? ['owner'] : [])]
  return { issuer: issuer.url, subject: user.id, names, groups: [] }
}
