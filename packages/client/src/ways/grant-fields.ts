import { formatScope } from '@warder/protocol'
import type { TokenSet } from '../records.ts'
import type { GrantContext } from './grant-way.ts'

/** What every grant asks for: the scopes, if any, and the resource (CL-20). */
export function askedFields({ scopes, resource }: Pick<GrantContext, 'scopes' | 'resource'>): {
  readonly scope?: string
  readonly resource?: string
} {
  return {
    ...(scopes.length > 0 && { scope: formatScope(scopes) }),
    ...(resource !== undefined && { resource }),
  }
}

/**
 * The same tokens without a refresh token: a grant that needs nobody is asked again, so that whoever ends what it rests on (a
 * secret, a session at the identity provider) ends the access with it (RFC 6749 section 4.4.3, K10).
 */
export function withoutRefresh(tokens: TokenSet): TokenSet {
  return { ...tokens, refreshToken: undefined }
}
