import { createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bodyDigest, openDecisionLog } from '../src/index.ts'

const secret = randomBytes(32)
const keyFor = (purpose: string): Uint8Array => new Uint8Array(hkdfSync('sha256', secret, '', purpose, 32))

test('M19 the digest of a body is its HMAC-SHA-256, whatever its length and whatever came before it', () => {
  const digest = bodyDigest(secret)
  const key = keyFor('warder body digest')
  for (const length of [100_000, 0, 4096, 1, 4097, 63, 64, 65, 4095, 140]) {
    const body = randomBytes(length)
    const expected = createHmac('sha256', key).update(body).digest('base64url')
    expect([length, digest(body)]).toEqual([length, expected])
    expect(digest(Buffer.concat([body, Buffer.of(0)]))).not.toBe(expected)
  }
})

test('T03 the seal of a record is the HMAC-SHA-256 of the line in front of it', async () => {
  const dir = join(await mkdtemp(join(tmpdir(), 'warder-mac-')), 'log')
  try {
    const log = await openDecisionLog(dir, { secret })
    await log.recordDecision({ outcome: 'open', server: 'notes', scopes: ['a'] })
    await log.recordDecision({
      outcome: 'open',
      server: 'notes',
      scopes: Array(100).fill('\u00e9'.repeat(500)),
    })
    await log.close()
    const [file = ''] = await readdir(dir)
    const lines = (await readFile(join(dir, file), 'latin1')).trimEnd().split('\n')
    expect(lines.map((line) => line.length > 4096)).toEqual([false, true])
    for (const line of lines) {
      const [, text = '', mac] = /^(.*),"mac":"(.{22})"\}$/.exec(line) ?? []
      const whole = createHmac('sha256', keyFor('warder decision log'))
        .update(text, 'latin1')
        .digest('base64url')
      expect(mac).toBe(whole.slice(0, 22))
    }
  } finally {
    await rm(join(dir, '..'), { recursive: true, force: true })
  }
})
