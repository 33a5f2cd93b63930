import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import type { Principal } from '@warder/policy'
import { Refusal } from '@warder/protocol'

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
  if (secret.length < 32) throw new Error('the secret must have at least 32 bytes')
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'warder upstream session', 32))
  return {
    seal(upstreamId, owner) {
      if (!upstreamForm.test(upstreamId)) throw new Refusal('upstream.answer', { detail: 'session id form' })
      const nonce = randomBytes(12)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(additionalData(owner))
      const sealed = [nonce, cipher.update(upstreamId, 'latin1'), cipher.final(), cipher.getAuthTag()]
      return Buffer.concat(sealed).toString('base64url')
    },
    open(sealed, owner) {
      if (!sealedForm.test(sealed)) throw new Refusal('session.unknown', { detail: 'form' })
      const bytes = Buffer.from(sealed, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12), { authTagLength: 16 })
      decipher.setAAD(additionalData(owner)).setAuthTag(bytes.subarray(-16))
      try {
        return decipher.update(bytes.subarray(12, -16), undefined, 'latin1') + decipher.final('latin1')
      } catch {
        throw new Refusal('session.unknown', { detail: 'not sealed for this caller' })
      }
    },
  }
}

function additionalData({ principal, resource }: SessionOwner): Buffer {
  const { user, client } = principal
  return Buffer.from(JSON.stringify([user.issuer, user.subject, client.id, resource]))
}
