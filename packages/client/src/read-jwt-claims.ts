import { isJsonObject, type JsonObject, readStrictJson } from '@warder/protocol'

/**
 * The claims of a JWT that nobody here has to verify: it came from its issuer itself, or goes to a server that will. Undefined for
 * what is none, without a reason: the words of a reader may hold a piece of the token.
 */
export function readJwtClaims(jwt: string): JsonObject | undefined {
  const payload = /^[\w-]+\.([\w-]+)\.[\w-]+$/.exec(jwt)?.[1]
  if (payload === undefined) return undefined
  try {
    const claims = readStrictJson(Buffer.from(payload, 'base64url'))
    return isJsonObject(claims) ? claims : undefined
  } catch {
    return undefined
  }
}
