/**
 * How sure is the client's identity? `pre-registered`: an operator entered it; `document`: a client id metadata document on
 * a proven host; `local`: every redirect goes to loopback, so any program on that machine could be it; `self-registered`:
 * nobody vouches for it.
 */
export type ClientClass = 'pre-registered' | 'document' | 'local' | 'self-registered'

/** The client of a call, as far as it is proven. */
export interface ClientIdentity {
  readonly id: string
  readonly class: ClientClass
}

/** The user of a call. Identity is issuer and subject; names and groups are what the policy file may call the user. */
export interface UserIdentity {
  readonly issuer: string
  readonly subject: string
  /** What `who: { user: … }` may say: the subject, `owner`, an e-mail address of our own directory. */
  readonly names: readonly string[]
  readonly groups: readonly string[]
}

/** Who calls: proven by a token at the guard, or by sign-in at the consent page (then `scopes` is empty). */
export interface Principal {
  readonly user: UserIdentity
  readonly client: ClientIdentity
  /** Scopes of the token, as granted; implication is the policy's business. */
  readonly scopes: ReadonlySet<string>
  /** The grant that the token belongs to; what revocation names. Absent for tokens of a foreign issuer. */
  readonly grantId?: string
  /** `jti` of the token. */
  readonly tokenId: string
  /** End of the token, seconds since the epoch. */
  readonly expiresAt: number
}

/** The classes by their names in the policy file, the best proven first. */
export const clientClasses: readonly ClientClass[] = [
  'pre-registered',
  'document',
  'local',
  'self-registered',
]
