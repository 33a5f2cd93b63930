/** One thing that a client did at a hostile server. Codes, verifiers and tokens are not kept. */
export interface Sighting {
  readonly what:
    | 'message'
    | 'resource-metadata'
    | 'server-metadata'
    | 'register'
    | 'authorize'
    | 'token'
    | 'bait'
  /** Whose origin it went to. */
  readonly at: 'main' | 'other'
  /** Query or form fields that are no secrets; of a registration what was sent. */
  readonly fields: Readonly<Record<string, unknown>>
  /** With a message: the token that came with it, and the method. */
  readonly token?: 'none' | 'ours' | 'foreign'
  readonly method?: string
  /** A token stood in the URL. */
  readonly isInUrl?: boolean
}

type What = Sighting['what']

export const count = (seen: readonly Sighting[], what: What, at?: Sighting['at']): number =>
  seen.filter((sighting) => sighting.what === what && (at === undefined || sighting.at === at)).length

/** The client called a tool with a token that was made for this trap. */
export const hasReachedTool = (seen: readonly Sighting[]): boolean =>
  seen.some(({ what, token, method }) => what === 'message' && token === 'ours' && method === 'tools/call')

/** The client came to the door: it asked without a token and was told where to sign in. */
export const hasKnocked = (seen: readonly Sighting[]): boolean => count(seen, 'message') > 0
