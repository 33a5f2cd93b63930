export interface User {
  readonly id: string
  readonly email: string
  readonly role: 'owner' | 'user'
  readonly passwordHash: string
  readonly createdAt: number
  readonly disabledAt: number | undefined
}

export interface NewUser {
  readonly id: string
  /** Lower-cased and trimmed by the caller; unique. */
  readonly email: string
  readonly passwordHash: string
}

export interface UserOperations {
  /** Replaces all earlier links: at most one owner link is alive. */
  createOwnerLink(link: { hash: string; expiresAt: number; now: number }): Promise<void>
  isOwnerLinkAlive(hash: string, now: number): Promise<boolean>
  /** Consumes the link, then makes the owner, in one transaction. Exactly one of any number of racers gets `made`. `email-taken` leaves the link alive. */
  claimOwner(claim: {
    linkHash: string
    user: NewUser
    now: number
  }): Promise<'made' | 'link-invalid' | 'owner-exists' | 'email-taken'>
  hasOwner(): Promise<boolean>
  /** `false` when the e-mail is taken. */
  add(user: NewUser & { now: number }): Promise<boolean>
  loadById(id: string): Promise<User | undefined>
  loadByEmail(email: string): Promise<User | undefined>
  list(): Promise<readonly User[]>
  /** Ends every grant, session and sign-in of the user and forgets every yes: whoever knew the old password is out. `false` when there is no such user. */
  setPassword(id: string, passwordHash: string, now: number): Promise<boolean>
  /** Disabling ends every grant, session and sign-in of the user, forgets every yes, and is a change; enabling is one too and brings nothing back. `false` when there is no such user. */
  setDisabled(id: string, disabled: boolean, now: number): Promise<boolean>
  /** Counts a failed login under a key (an account, an address); answers how many failures stand there now. */
  countLoginFailure(key: string, now: number): Promise<number>
  /** For how many milliseconds from now no login is tried under this key; 0 when free. */
  loadLoginBlock(key: string, now: number): Promise<number>
  clearLoginFailures(key: string): Promise<void>
}
