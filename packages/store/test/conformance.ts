import type { Store } from '@warder/store'
import { afterAll, beforeAll, describe } from 'vitest'
import { accountConformance } from './conformance/account.ts'
import { clientConformance } from './conformance/clients.ts'
import { codeConformance } from './conformance/codes.ts'
import { consentConformance } from './conformance/consent.ts'
import { feedConformance } from './conformance/feed.ts'
import { housekeepingConformance } from './conformance/housekeeping.ts'
import { orderConformance } from './conformance/order.ts'
import { policyConformance } from './conformance/policies.ts'
import { refreshTokenConformance } from './conformance/refresh-tokens.ts'
import { revokeAllConformance } from './conformance/revoke-all.ts'
import { userConformance } from './conformance/users.ts'

/** A store for one test file, which can be closed and opened again on what it has stored. */
export interface OpenedStore {
  readonly store: Store
  /** Closes the store and opens what it had stored. */
  reopen(): Promise<Store>
  remove(): Promise<void>
}

/** What a suite asks for: the store of now, which `reopen` replaces. */
export interface Subject {
  store(): Store
  reopen(): Promise<Store>
  /** A store of its own, for what there is only one of, such as the owner. */
  fresh(): Promise<Store>
}

/** Everything that `Store` promises, for any engine. */
export function storeConformance(openFreshStore: () => Promise<OpenedStore>): void {
  const opened: OpenedStore[] = []
  let current: Store
  const open = async (): Promise<OpenedStore> => {
    const fresh = await openFreshStore()
    opened.push(fresh)
    return fresh
  }
  const subject: Subject = {
    store: () => current,
    async reopen() {
      current = await opened[0]!.reopen()
      return current
    },
    fresh: async () => (await open()).store,
  }
  beforeAll(async () => {
    current = (await open()).store
  })
  afterAll(async () => {
    for (const one of opened) await one.remove()
  })
  describe('users', () => userConformance(subject))
  describe('clients', () => clientConformance(subject))
  describe('consent', () => consentConformance(subject))
  describe('the account page', () => accountConformance(subject))
  describe('codes', () => codeConformance(subject))
  describe('refresh tokens', () => refreshTokenConformance(subject))
  describe('changes, events and keys', () => feedConformance(subject))
  describe('order and lists', () => orderConformance(subject))
  describe('policies', () => policyConformance(subject))
  describe('revoking everything', () => revokeAllConformance(subject))
  describe('housekeeping', () => housekeepingConformance(subject))
}
