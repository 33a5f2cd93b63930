import type { Answer, Feature, TokenSpec } from './row.ts'

/** What a product gives, so that the rows can be run against it. */
export interface Target {
  readonly name: string
  readonly has: ReadonlySet<Feature>
  /** Addresses and names for `{…}` in steps: see `Values`. */
  readonly values: Values
  /** Follows an authorization request through login and consent, however the product does it; answers where the browser ends. */
  approve?(url: string): Promise<string>
  /** How its pages are filled in, where the rows may do that themselves. */
  readonly forms?: Forms
  /** A token of the issuer that the table plays; without a defect it opens what `call` calls. */
  mint?(spec: TokenSpec): string
  rotateKeys?(): void
  /** So many requests came for the keys of the issuer. */
  keyFetches?(): number
  readonly upstream?: { hits(): number; answer(answer: Answer | undefined): void }
  readonly documents?: { hits(): number; serve(path: string, answer: Answer): void }
  /** Decision records so far that are no yes. */
  refusals?(): number
  stop(): Promise<void>
}

export interface Values {
  readonly issuer?: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly revocation_endpoint?: string
  readonly registration_endpoint?: string
  readonly scope?: string
  /** What tokens of the target's own authorization server are for, and another one that it serves. */
  readonly resource?: string
  readonly otherResource?: string
  /** What tokens of the played issuer are for. */
  readonly endpoint?: string
  readonly otherEndpoint?: string
  readonly playedIssuer?: string
  /** Origin of the host of client documents. */
  readonly documents?: string
  /** Never to be seen in an answer. */
  readonly password?: string
}

export interface Forms {
  readonly logIn: Readonly<Record<string, string>>
  readonly allow: Readonly<Record<string, string>>
  /** The hidden field that shows that the form is the server's own. */
  readonly token: string
}
