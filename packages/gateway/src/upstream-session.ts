import type { Principal } from '@warder/policy'
import { Refusal } from '@warder/protocol'
import { createSeal } from './seal.ts'

/** Seals session ids of an upstream for one owner. */
export interface UpstreamSessions {
  seal(upstreamId: string, owner: SessionOwner): string
  /** Refusal `session.unknown` for a foreign, altered or invented id. */
  open(sealed: string, owner: SessionOwner): string
}

/** A session answers to the same user with the same client at the same resource, also after a token refresh (N09, N10). */
export interface SessionOwner {
  readonly principal: Principal
  readonly resource: string
}

const sealedForm = /^[A-Za-z0-9_-]{40,1024}$/
const upstreamForm = /^[\x21-\x7e]{1,512}$/

/**
 * Session ids that clients see: the upstream's id under AES-256-GCM, with the owner as additional data, so that a stolen id
 * opens nothing for anybody else and nothing is stored. The key is derived from `secret` (32 bytes), which a restart keeps.
 * A sealed id proves no identity: the token does, on each request.
 */
export function createUpstreamSessions(secret: Uint8Array): UpstreamSessions {
  const seal = createSeal(secret, 'warder upstream session')
  return {
    seal(upstreamId, owner) {
      if (!upstreamForm.test(upstreamId)) throw new Refusal('upstream.answer', { detail: 'session id form' })
      return seal.close(upstreamId, factsOf(owner))
    },
    open(sealed, owner) {
      if (!sealedForm.test(sealed)) throw new Refusal('session.unknown', { detail: 'form' })
      const upstreamId = seal.open(sealed, factsOf(owner))
      if (upstreamId === undefined) {
        throw new Refusal('session.unknown', { detail: 'not sealed for this caller' })
      }
      return upstreamId
    },
  }
}

function factsOf({ principal, resource }: SessionOwner): readonly string[] {
  const { user, client } = principal
  return [user.issuer, user.subject, client.id, resource]
}
