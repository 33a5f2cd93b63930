/** What the user wants: `auto` binds tokens wherever both servers say that they can. */
export type DpopMode = 'auto' | 'always' | 'never'

/** `preferred` takes a bearer token where the server gives one all the same; `required` refuses it. */
export type DpopNeed = 'none' | 'preferred' | 'required'

/**
 * Whether to ask for tokens that are bound to a key. In `auto` the resource has to show that it knows DPoP, by the scheme of its
 * challenge or by its metadata: many authorization servers list it while the resource takes bearer tokens only, and a bound token
 * sent as `Bearer` would be refused (RFC 9449 section 7.2).
 */
export function decideDpop(of: {
  readonly mode: DpopMode
  /** `dpop_signing_alg_values_supported` of the authorization server. */
  readonly serverAlgorithms?: readonly string[] | undefined
  /** The same of the resource (RFC 9728 section 2). */
  readonly resourceAlgorithms?: readonly string[] | undefined
  /** `dpop_bound_access_tokens_required` of the resource. */
  readonly isRequiredByResource?: boolean | undefined
  /** Schemes of the challenges that the resource sent. */
  readonly challenged?: readonly string[] | undefined
}): DpopNeed {
  if (of.mode === 'never') return 'none'
  if (of.mode === 'always') return 'required'
  if (of.isRequiredByResource === true) return 'required'
  const schemes = of.challenged?.map((scheme) => scheme.toLowerCase()) ?? []
  const isOnlyDpop = schemes.includes('dpop') && !schemes.includes('bearer')
  if (isOnlyDpop) return 'required'
  const resourceCan = schemes.includes('dpop') || of.resourceAlgorithms?.includes('ES256') === true
  return resourceCan && of.serverAlgorithms?.includes('ES256') === true ? 'preferred' : 'none'
}
