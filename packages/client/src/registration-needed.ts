/**
 * Thrown where the authorization server takes only clients that it knows, and we are none (CL-44, last step). The message says
 * what the user has to bring.
 */
export class RegistrationNeeded extends Error {
  override readonly name = 'RegistrationNeeded'
  readonly server: string
  /** Whom to ask. */
  readonly issuer: string
  /** What has to be registered there. */
  readonly redirectUris: readonly string[]
  /** Where the authorization server says how; a web URL for display as text. */
  readonly documentation: string | undefined

  constructor(needed: {
    readonly server: string
    readonly issuer: string
    readonly redirectUris: readonly string[]
    /** The grant that it has to be registered for, where that is not the authorization code. */
    readonly grantType?: string | undefined
    readonly documentation: string | undefined
  }) {
    const { server, issuer, redirectUris, grantType, documentation } = needed
    const what = grantType === undefined ? `redirect URI ${redirectUris.join(' or ')}` : `grant ${grantType}`
    const how = documentation === undefined ? '' : ` (see ${documentation})`
    super(
      `${issuer} registers no clients by itself. Register one there${how}, native, with the ${what}, ` +
        `and name its client id for ${server}`,
    )
    this.server = server
    this.issuer = issuer
    this.redirectUris = redirectUris
    this.documentation = documentation
  }
}
