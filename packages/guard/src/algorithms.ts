/** The key that an algorithm takes (RFC 7518 section 6, RFC 8037). */
export interface KeyShape {
  readonly kty: 'EC' | 'OKP' | 'RSA'
  readonly crv?: string
}

/**
 * The signature algorithms of access tokens: asymmetric ones only, each bound to one kind of key. An allow-list (RFC 8725
 * section 3.1): `none`, HMAC and everything else is not in it, in whatever spelling.
 */
export const algorithms: ReadonlyMap<string, KeyShape> = new Map<string, KeyShape>([
  ['ES256', { kty: 'EC', crv: 'P-256' }],
  ['ES384', { kty: 'EC', crv: 'P-384' }],
  ['ES512', { kty: 'EC', crv: 'P-521' }],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
  ['Ed25519', { kty: 'OKP', crv: 'Ed25519' }],
  ['RS256', { kty: 'RSA' }],
  ['RS384', { kty: 'RSA' }],
  ['RS512', { kty: 'RSA' }],
  ['PS256', { kty: 'RSA' }],
  ['PS384', { kty: 'RSA' }],
  ['PS512', { kty: 'RSA' }],
])
