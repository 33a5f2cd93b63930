import { createHmac } from 'node:crypto'
import type { User } from '@warder/store'
import type { WebRequest } from './message.ts'
import type { Options } from './options.ts'
import { readCookie } from './read-cookie.ts'
import { deriveKey } from './tokens/seal.ts'
import { hashSecret, isSecret, makeId } from './tokens/secret.ts'

/**
 * Browsers in which a user has signed in before, after OWASP's device cookies. Whoever guesses at an account from elsewhere
 * blocks it for everybody elsewhere; these browsers have a count of their own, so the user still comes in. Such a cookie is no
 * sign-in: with it, the password is asked for as ever.
 */
export interface KnownDevices {
  /** Under which name the failures of this browser are counted for this user; undefined where it is not known. */
  find(request: WebRequest, user: User): string | undefined
  /** The `Set-Cookie` values after a sign-in: one on https. None on http loopback, where other ports would get the cookie. */
  remember(request: WebRequest, user: User): readonly string[]
}

const cookieName = '__Host-warder-device'
const keptSeconds = 180 * 24 * 3600
/** So many users of one browser are known. */
const usersKept = 4
const form = /^([0-9a-z]{1,9})~([A-Za-z0-9_-]{22})~([A-Za-z0-9_-]{43})$/

interface Device {
  readonly raw: string
  readonly since: number
  readonly id: string
  readonly signature: string
}

/** Nothing is stored: a cookie is signed for one user, one password and one time. A new password makes all of them void. */
export function makeKnownDevices({
  secret,
  issuer,
  now,
}: Pick<Options, 'secret' | 'issuer' | 'now'>): KnownDevices {
  const key = deriveKey(secret, 'known devices')

  const sign = (since: number, id: string, user: User): string =>
    createHmac('sha256', key)
      .update(JSON.stringify([user.id, hashSecret(user.passwordHash), since, id]))
      .digest('base64url')

  const isOf = ({ since, id, signature }: Device, user: User): boolean =>
    now() < since + keptSeconds * 1000 && isSecret(signature, hashSecret(sign(since, id, user)))

  return {
    find(request, user) {
      if (!issuer.secure) return undefined
      const device = readDevices(request).find((each) => isOf(each, user))
      return device === undefined ? undefined : `device:${hashSecret(device.id)}`
    },
    remember(request, user) {
      if (!issuer.secure) return []
      const [since, id] = [now(), makeId()]
      const mine = `${since.toString(36)}~${id}~${sign(since, id, user)}`
      const others = readDevices(request).filter((each) => !isOf(each, user))
      const value = [mine, ...others.map(({ raw }) => raw)].slice(0, usersKept).join('.')
      const attributes = `Path=/; Max-Age=${keptSeconds}; HttpOnly; Secure; SameSite=Strict`
      return [`${cookieName}=${value}; ${attributes}`]
    },
  }
}

function readDevices(request: WebRequest): readonly Device[] {
  return readCookie(request, cookieName)
    .slice(0, usersKept)
    .flatMap((raw) => {
      const [, since = '', id = '', signature = ''] = form.exec(raw) ?? []
      return signature === '' ? [] : [{ raw, since: Number.parseInt(since, 36), id, signature }]
    })
}
