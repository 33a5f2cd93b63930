export interface SigningKey {
  readonly kid: string
  readonly algorithm: 'ES256'
  readonly publicJwk: string
  /** The private JWK, sealed by the caller. */
  readonly sealedPrivateJwk: string
  readonly createdAt: number
}

export interface KeyOperations {
  list(): Promise<readonly SigningKey[]>
  /** Adds the key only if there is none; answers the keys that stand there afterwards. Racing nodes agree on one. */
  addFirst(key: SigningKey): Promise<readonly SigningKey[]>
}
