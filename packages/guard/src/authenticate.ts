import { type ClientClass, clientClasses, type Principal } from '@warder/policy'
import { type Reason, Refusal, readBearer, toRefusal } from '@warder/protocol'
import type { ResolvedOptions, UserNames } from './options.ts'
import type { TokenClaims } from './verify-jwt.ts'
import { withDeadline } from './with-deadline.ts'

/** Where a request can carry a token. */
export interface Credentials {
  /** Every `Authorization` header line of the request, as received. */
  readonly authorization: readonly string[]
  /** The query of the request target, with or without `?`; a token there is never accepted. */
  readonly query?: string
}

/** The token of a request (RFC 6750 section 2.1), from the one place where it may be. Throws `token.*`. */
export function readToken(credentials: Credentials): string {
  return readBearer(credentials.authorization, credentials.query)
}

/** Milliseconds: a store that takes longer is one that is not heard. */
const newsDeadline = 2_000
const forWantOfNews: readonly Reason[] = ['user.disabled', 'revocations.unavailable']

/**
 * The principal of verified claims, as of now: not revoked, and still a user. Where the user is not known, or nothing was heard for
 * some time, the news is asked for first: the user may have come through another node a moment ago, and this process may have slept.
 * Throws `token.revoked`, `revocations.unavailable`, `user.disabled`, `store.unavailable`.
 */
export async function provePrincipal(claims: TokenClaims, options: ResolvedOptions): Promise<Principal> {
  try {
    return proveByWhatIsKnown(claims, options)
  } catch (error) {
    if (!forWantOfNews.includes(toRefusal(error).reason)) throw error
    await withDeadline(options.catchUp, newsDeadline).catch(() => undefined)
    return proveByWhatIsKnown(claims, options)
  }
}

function proveByWhatIsKnown(claims: TokenClaims, options: ResolvedOptions): Principal {
  checkRevocation(claims, options)
  const user = findUser(claims, options)
  return {
    user: { issuer: claims.issuer, subject: claims.subject, names: user.names, groups: user.groups },
    client: { id: claims.clientId, class: readClientClass(claims, options) },
    scopes: claims.scopes,
    tokenId: claims.tokenId,
    expiresAt: claims.expiresAt,
    ...(claims.grantId === undefined ? {} : { grantId: claims.grantId }),
  }
}

function checkRevocation(claims: TokenClaims, { revocations }: ResolvedOptions): void {
  if (revocations === undefined) return
  const { tokenId, subject, grantId, scopes } = claims
  let isRevoked: boolean
  let isFresh: boolean
  try {
    isRevoked = revocations.isRevoked({
      tokenId,
      subject,
      scopes,
      ...(grantId === undefined ? {} : { grantId }),
    })
    isFresh = revocations.isFresh()
  } catch (cause) {
    throw new Refusal('revocations.unavailable', { cause })
  }
  if (isRevoked) throw new Refusal('token.revoked')
  if (!isFresh) throw new Refusal('revocations.unavailable')
}

function findUser(claims: TokenClaims, options: ResolvedOptions): UserNames {
  if (options.findUser === undefined) return { names: [claims.subject], groups: claims.groups }
  let user: UserNames | undefined
  try {
    user = options.findUser(claims.issuer, claims.subject)
  } catch (cause) {
    throw new Refusal('store.unavailable', { cause })
  }
  if (user === undefined) throw new Refusal('user.disabled')
  return user
}

/** Nobody vouches for a client whose class is not known. */
function readClientClass(claims: TokenClaims, options: ResolvedOptions): ClientClass {
  const said = options.clientClass === undefined ? claims.clientClass : options.clientClass(claims.clientId)
  return clientClasses.find((known) => known === said) ?? 'self-registered'
}
