import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Principal } from '@warder/policy'
import { openStore } from '@warder/store'
import { expect, onTestFinished, test } from 'vitest'
import { followChanges } from '../src/protect/follow-changes.ts'

test('N06 V11 the end of a user is that of streams of a grant which a restored database does not know', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'warder-ended-users-'))
  const store = await openStore({ file: join(directory, 'warder.sqlite') })
  const issuer = 'https://warder.example'
  const now = Date.now()
  for (const id of ['alice', 'bob'])
    await store.users.add({ id, email: `${id}@example.com`, passwordHash: 'x', now })
  const open = ['alice', 'bob'].map(
    (subject): Principal => ({
      user: { issuer, subject, names: [], groups: [] },
      client: { id: 'c', class: 'local' },
      scopes: new Set(),
      grantId: `a grant of ${subject} after the backup`,
      tokenId: `a token of ${subject}`,
      expiresAt: Number.MAX_SAFE_INTEGER,
    }),
  )
  const ended: string[] = []
  const facts = await followChanges(store, {
    issuer,
    now: Date.now,
    coveredScopes: ({ scopes }) => new Set(scopes),
    onEnded: (concerns) => ended.push(...open.filter(concerns).map(({ user }) => user.subject)),
    onPolicy: async () => undefined,
    onHearing: () => undefined,
  })
  onTestFinished(async () => {
    facts.stop()
    await store.close()
    await rm(directory, { recursive: true, force: true })
  })
  expect(await store.users.setDisabled('alice', true, now)).toBe(true)
  await facts.catchUp()
  expect(ended).toEqual(['alice'])
})
