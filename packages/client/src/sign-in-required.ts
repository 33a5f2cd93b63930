/**
 * Thrown where somebody has to sign in, and nobody can here. Programs between recognise it by its name.
 */
export class SignInRequired extends Error {
  override readonly name = 'SignInRequired'
  readonly server: string
  /** In plain words. */
  readonly reason: string
  /** Where to sign in, if a person has it opened in a browser whose answer can arrive. */
  readonly authorizationUrl: string | undefined
  /** What the sign-in has to ask for; undefined: as the client decides. */
  readonly scopes: readonly string[] | undefined

  constructor(required: {
    readonly server: string
    readonly reason: string
    readonly authorizationUrl?: string | undefined
    readonly scopes?: readonly string[] | undefined
  }) {
    super(`sign in to ${required.server}: ${required.reason}`)
    this.server = required.server
    this.reason = required.reason
    this.authorizationUrl = required.authorizationUrl
    this.scopes = required.scopes
  }
}
