import { type Challenge, Refusal, readChallenges, readScope } from '@warder/protocol'

/** What a protected server said with its 401 or 403. Nothing in it is proven. */
export interface ServerChallenge {
  /** Schemes of the challenges that are about tokens, as sent. */
  readonly schemes: readonly string[]
  /** URL of the protected resource metadata. */
  readonly resourceMetadata?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly error?: string | undefined
}

const schemes: ReadonlySet<string> = new Set(['bearer', 'dpop'])

/**
 * The challenge of an answer (CL-39): what all its `WWW-Authenticate` headers say together, of the schemes Bearer and DPoP. Of
 * each parameter the first counts. Never throws: what makes no sense is not there (Q18).
 */
export function readServerChallenge(headers: Headers): ServerChallenge {
  const found = readChallenges(headers.get('www-authenticate') ?? '').filter(({ scheme }) =>
    schemes.has(scheme.toLowerCase()),
  )
  return {
    schemes: found.map(({ scheme }) => scheme),
    resourceMetadata: first(found, 'resource_metadata'),
    scopes: scopesOf(first(found, 'scope')),
    error: first(found, 'error'),
  }
}

function first(challenges: readonly Challenge[], name: string): string | undefined {
  return challenges.find(({ params }) => params.has(name))?.params.get(name)
}

function scopesOf(scope: string | undefined): readonly string[] | undefined {
  if (scope === undefined) return undefined
  try {
    const scopes = readScope(scope.trim().replace(/ +/g, ' '))
    return scopes.length > 0 ? scopes : undefined
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}
