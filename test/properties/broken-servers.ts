import type { Store } from '@warder/store'
import type { Sabotage } from './world.ts'

type Part = 'grants' | 'users' | 'clients' | 'sessions' | 'changes'

function replace<P extends Part>(part: P, replacement: (of: Store[P]) => Partial<Store[P]>): Sabotage {
  return (store) => ({ ...store, [part]: { ...store[part], ...replacement(store[part]) } })
}

/** Each is one thing that a server must do and this one does not. */
export const brokenServers: readonly [string, Sabotage][] = [
  [
    'a code is good twice',
    replace('grants', (grants) => ({
      async redeemCode(redemption) {
        const code = await grants.loadCode(redemption.codeHash)
        if (code?.redeemedAt === undefined) return await grants.redeemCode(redemption)
        return { outcome: 'redeemed', grant: code.grant }
      },
    })),
  ],
  [
    'a code that comes again ends nothing',
    replace('grants', (grants) => ({
      async redeemCode(redemption) {
        const code = await grants.loadCode(redemption.codeHash)
        if (code?.redeemedAt === undefined) return await grants.redeemCode(redemption)
        return { outcome: 'unknown' }
      },
    })),
  ],
  [
    'a refresh token that comes again ends nothing',
    replace('grants', (grants) => ({
      async rotateRefreshToken(rotation) {
        const token = await grants.loadRefreshToken(rotation.hash)
        const isLate = token?.usedAt !== undefined && rotation.now - token.usedAt >= rotation.graceMs
        return isLate ? { outcome: 'unknown' } : await grants.rotateRefreshToken(rotation)
      },
    })),
  ],
  [
    'the time for a retry is a minute',
    replace('grants', (grants) => ({
      rotateRefreshToken: (rotation) => grants.rotateRefreshToken({ ...rotation, graceMs: 60_000 }),
    })),
  ],
  ['revoking a grant does nothing', replace('grants', () => ({ revoke: async () => true }))],
  [
    'guards hear of no end',
    replace('changes', (changes) => ({
      listAfter: async (number, limit) =>
        (await changes.listAfter(number, limit)).map((change) =>
          change.kind === 'grant-revoked' ? { ...change, kind: 'token-revoked' } : change,
        ),
    })),
  ],
  [
    'a disabled user keeps what was granted',
    replace('users', (users) => ({
      setDisabled: async (id, disabled, now) =>
        disabled ? true : await users.setDisabled(id, disabled, now),
    })),
  ],
  [
    'a disabled client is not noticed',
    replace('clients', (clients) => ({
      async load(id) {
        const client = await clients.load(id)
        return client && { ...client, disabledAt: undefined }
      },
    })),
  ],
  [
    'a session never ends',
    replace('sessions', (sessions) => ({
      load: (hash) => sessions.load(hash, 0),
      loadWithUser: (hash) => sessions.loadWithUser(hash, 0),
    })),
  ],
  ['the sweep takes what is alive', (store) => ({ ...store, sweep: (now) => store.sweep(now + 3_600_000) })],
]
