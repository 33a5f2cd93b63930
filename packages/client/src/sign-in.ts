import { signInByBrowser } from './browser-sign-in.ts'
import type { ClientParts } from './client-parts.ts'
import { signInByGrant } from './grant-sign-in.ts'
import type { SignInRequest } from './sign-in-request.ts'
import { SignInRequired } from './sign-in-required.ts'
import type { SignedIn } from './signed-in.ts'

/** Signs in by the way that was chosen, once, and keeps the tokens. What was kept before stays until this has worked. */
export async function signIn(parts: ClientParts, request: SignInRequest): Promise<SignedIn> {
  const { way } = parts.options
  if (way.kind === 'none') throw new SignInRequired({ server: parts.server, reason: way.reason })
  return way.kind === 'grant' ? signInByGrant(parts, way, request) : signInByBrowser(parts, way, request)
}
