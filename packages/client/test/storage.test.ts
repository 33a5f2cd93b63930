import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type CredentialStore,
  chooseStore,
  clientDirectory,
  dangerouslyOpenPlainFile,
  openEncryptedFile,
  openMemory,
  StoreUnavailable,
} from '@warder/client'
import { afterAll, describe, expect, test } from 'vitest'

const root = mkdtempSync(join(tmpdir(), 'warder-storage-'))
afterAll(() => rmSync(root, { recursive: true }))
let serial = 0
const place = (): string => {
  serial += 1
  return join(root, String(serial))
}

const canary = 'canary-8b2e-token'
const key = (secret: string) => ({ kind: 'key', secret, origin: 'the key file' }) as const
const openers: Record<string, (directory: string) => Promise<CredentialStore>> = {
  memory: async () => openMemory(),
  'plain-file': async (directory) => dangerouslyOpenPlainFile({ directory }),
  'encrypted-file': async (directory) => openEncryptedFile({ directory, key: key('k'.repeat(44)) }),
}

async function troubleOf(answer: Promise<unknown>): Promise<StoreUnavailable> {
  const error: unknown = await answer.then(
    (value) => `answered ${String(value)}`,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StoreUnavailable)
  return error as StoreUnavailable
}

describe.each(Object.entries(openers))('%s', (kind, open) => {
  test('reads what was written, lists it, removes it', async () => {
    const store = await open(place())
    expect(store.kind).toBe(kind)
    expect([await store.read('a'), await store.list()]).toEqual([undefined, []])
    for (const [name, value] of [
      ['b', 'x'],
      ['a.b-c', 'é😀"\n'.repeat(3000)],
      ['b', ''],
    ] as const) {
      await store.write(name, value)
      expect(await store.read(name)).toBe(value)
    }
    expect(await store.list()).toEqual(['a.b-c', 'b'])
    await store.remove('b')
    await store.remove('b')
    expect([await store.read('b'), await store.list()]).toEqual([undefined, ['a.b-c']])
  })

  test.each(['', '../up', 'a/b', 'A', '.hidden', 'a.', 'a b', 'x'.repeat(121), 'a\0'])(
    'a name such as %j is refused everywhere',
    async (name) => {
      const store = await open(place())
      for (const act of [
        () => store.read(name),
        () => store.write(name, 'x'),
        () => store.remove(name),
        () => store.locked(name, async () => 'x'),
      ]) {
        await expect((async () => act())()).rejects.toThrow(TypeError)
      }
    },
  )

  test('locked: one at a time for a name, others meanwhile; an error gives it back; late is an error', async () => {
    const store = await open(place())
    const order: string[] = []
    let release = (): void => undefined
    const held = new Promise<void>((done) => {
      release = done
    })
    const work = (name: string) => async (): Promise<string> => {
      order.push(`${name} begins`)
      await held
      order.push(`${name} ends`)
      return name
    }
    const first = store.locked('one', work('first'))
    await expect.poll(() => order).toEqual(['first begins'])
    const late = store.locked('one', work('late'), { timeoutMs: 1 })
    const second = store.locked('one', work('second'))
    expect(await store.locked('two', async () => 'other')).toBe('other')
    expect((await troubleOf(late)).reason).toBe('timeout')
    release()
    expect(await Promise.all([first, second])).toEqual(['first', 'second'])
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends'])
    const failing = store.locked('one', async () => {
      throw new Error('mine')
    })
    await expect(failing).rejects.toThrow('mine')
    expect(await store.locked('one', async () => 'again')).toBe('again')
  })
})

describe('files', () => {
  test('Q15 Q16 0600 in 0700; encrypted, neither the token nor the key is in any file or name', async () => {
    const directory = place()
    const store = await openEncryptedFile({
      directory,
      key: key('the-long-secret-key-of-the-user-0123456789'),
    })
    await store.write('tokens-1', canary)
    await store.locked('tokens-1', async () => {})
    const all = readdirSync(directory, { recursive: true, withFileTypes: true })
    expect(all.map(({ name }) => name)).toContain('tokens-1.sealed')
    for (const entry of all) {
      const path = join(entry.parentPath, entry.name)
      expect(statSync(path).mode & 0o777).toBe(entry.isDirectory() ? 0o700 : 0o600)
      if (entry.isDirectory()) continue
      const text = readFileSync(path, 'latin1')
      expect(text).not.toMatch(/canary|long-secret/)
      expect(text).not.toContain(Buffer.from(canary).toString('base64url'))
    }
  })

  test('each write has a nonce of its own, also for the same text', async () => {
    const directory = place()
    const store = await openEncryptedFile({ directory, key: key('k'.repeat(40)) })
    const seen = new Set<string>()
    for (let write = 0; write < 20; write += 1) {
      await store.write('a', canary)
      const [, nonce = '', body = ''] = readFileSync(join(directory, 'encrypted', 'a.sealed'), 'utf8').split(
        '.',
      )
      seen.add(nonce).add(body)
    }
    expect(seen.size).toBe(40)
  })

  test('a wrong key is said, before anything is read or written; twin: the right one opens', async () => {
    const directory = place()
    const store = await openEncryptedFile({ directory, key: key('a'.repeat(40)) })
    await store.write('a', canary)
    const before = readFileSync(join(directory, 'encrypted', 'a.sealed'))
    const wrong = await troubleOf(openEncryptedFile({ directory, key: key('b'.repeat(40)) }))
    expect([wrong.reason, wrong.message]).toEqual([
      'denied',
      expect.stringContaining('the key file is not its key'),
    ])
    const other = await troubleOf(
      openEncryptedFile({ directory, key: { kind: 'passphrase', secret: 'a'.repeat(40) } }),
    )
    expect(other.message).toContain('made with a key file')
    expect(readFileSync(join(directory, 'encrypted', 'a.sealed'))).toEqual(before)
    const again = await openEncryptedFile({ directory, key: key('a'.repeat(40)) })
    expect(await again.read('a')).toBe(canary)
  })

  test('a passphrase opens what it closed, in another normal form of Unicode too, and another does not', async () => {
    const directory = place()
    const open = (secret: string) => openEncryptedFile({ directory, key: { kind: 'passphrase', secret } })
    const store = await open('caf\u00e9 au lait')
    await store.write('a', canary)
    expect(await (await open('cafe\u0301 au lait')).read('a')).toBe(canary)
    const wrong = await troubleOf(open('cafe au lait'))
    expect([wrong.reason, wrong.message]).toEqual(['denied', expect.stringContaining('passphrase is wrong')])
    expect(wrong.message).not.toContain('au lait')
  })

  test.each([
    ['cheap', { cost: 1024 }],
    ['endless', { cost: 2 ** 30 }],
    ['no power of two', { cost: 131_073 }],
    ['newer', { version: 2 }],
    ['without salt', { salt: 1 }],
  ])('a header that somebody made %s is refused', async (_, change) => {
    const directory = place()
    const source = { kind: 'passphrase', secret: 'x' } as const
    await openEncryptedFile({ directory, key: source })
    const file = join(directory, 'encrypted', 'header.json')
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...change }))
    expect((await troubleOf(openEncryptedFile({ directory, key: source }))).message).toMatch(/damaged/)
  })

  test('Q13 a file under another name, a changed bit and a short file are damaged, never another value', async () => {
    const directory = place()
    const store = await openEncryptedFile({ directory, key: key('k'.repeat(40)) })
    await store.write('a', canary)
    await store.write('b', 'other')
    const [a, b] = ['a', 'b'].map((name) => join(directory, 'encrypted', `${name}.sealed`)) as [
      string,
      string,
    ]
    const good = readFileSync(a, 'latin1')
    renameSync(a, b)
    expect((await troubleOf(store.read('b'))).message).toMatch(/changed or damaged/)
    expect(await store.read('a')).toBeUndefined()
    for (let at = 0; at < good.length; at += 3) {
      const other = good[at] === 'A' ? 'B' : 'A'
      writeFileSync(a, good.slice(0, at) + other + good.slice(at + 1), { mode: 0o600 })
      expect((await troubleOf(store.read('a'))).reason).toBe('denied')
      writeFileSync(a, good.slice(0, at))
      expect((await troubleOf(store.read('a'))).reason).toBe('denied')
    }
    writeFileSync(a, good)
    expect(await store.read('a')).toBe(canary)
  })

  test.each(['plain-file', 'encrypted-file'])(
    'Q15 %s: a link or an open file in the place of a credential is refused, not read',
    async (kind) => {
      const directory = place()
      const store = await openers[kind]!(directory)
      await store.write('a', 'x')
      const [folder, extension] = kind === 'plain-file' ? ['plain', 'credential'] : ['encrypted', 'sealed']
      const file = join(directory, folder!, `a.${extension}`)
      chmodSync(file, 0o644)
      expect((await troubleOf(store.read('a'))).message).toContain(`chmod 600 ${file}`)
      symlinkSync(file, join(directory, folder!, `b.${extension}`))
      expect((await troubleOf(store.read('b'))).message).toContain('symbolic link')
      chmodSync(file, 0o600)
      expect(await store.read('a')).toBe('x')
    },
  )
})

describe('the choice', () => {
  const envOf = (more: Record<string, string> = {}): Record<string, string> => {
    const home = place()
    return { HOME: home, XDG_STATE_HOME: join(home, 'state'), WARDER_STORE: 'encrypted-file', ...more }
  }
  const keyFileOf = (text: string, mode = 0o600): string => {
    const file = `${place()}.key`
    writeFileSync(file, text, { mode })
    return file
  }

  test('an encrypted store by its key file, also through a link, as secrets are mounted', async () => {
    const file = keyFileOf(`${randomBytes(32).toString('base64')}\n`)
    const link = `${file}.link`
    symlinkSync(file, link)
    const env = envOf()
    const store = await chooseStore({ env: { ...env, WARDER_STORE_KEY_FILE: file } })
    await store.write('a', canary)
    const linked = await chooseStore({ env: { ...env, WARDER_STORE_KEY_FILE: link } })
    expect([linked.kind, await linked.read('a')]).toEqual(['encrypted-file', canary])
  })

  test('by a passphrase where somebody can be asked', async () => {
    const store = await chooseStore({ env: envOf(), askPassphrase: async () => 'a passphrase' })
    expect(store.kind).toBe('encrypted-file')
  })

  test.each<readonly [string, () => Record<string, string>, string, RegExp]>([
    ['no key', () => ({}), 'missing', /openssl rand -base64 32[\s\S]*WARDER_STORE_KEY_FILE/],
    ['no such file', () => ({ WARDER_STORE_KEY_FILE: '/nowhere/key' }), 'missing', /no \/nowhere\/key/],
    ['a short key', () => ({ WARDER_STORE_KEY_FILE: keyFileOf('canary') }), 'denied', /fewer than 32/],
    [
      'an open file',
      () => ({ WARDER_STORE_KEY_FILE: keyFileOf('x'.repeat(44), 0o644) }),
      'denied',
      /chmod 600/,
    ],
    [
      'a word that is not known',
      () => ({ WARDER_STORE: 'keyring' }),
      'missing',
      /keychain, encrypted-file or memory/,
    ],
    ['plain files by environment', () => ({ WARDER_STORE: 'plain-file' }), 'missing', /WARDER_STORE is/],
  ])('%s: said, with what to do, and no file is made', async (_, more, reason, words) => {
    const env = envOf(more())
    const trouble = await troubleOf(chooseStore({ env }))
    expect([trouble.reason, trouble.message]).toEqual([reason, expect.stringMatching(words)])
    expect(trouble.message).not.toContain('canary')
    expect(existsSync(env['HOME']!)).toBe(false)
  })

  test('what the caller wants comes before the environment', async () => {
    expect((await chooseStore({ env: envOf(), wanted: 'memory' })).kind).toBe('memory')
    expect((await chooseStore({ env: envOf(), wanted: 'plain-file' })).kind).toBe('plain-file')
  })

  test.each([
    ['linux', { HOME: '/home/u' }, '/home/u/.local/state/warder/client'],
    ['linux', { HOME: '/home/u', XDG_STATE_HOME: '/s' }, '/s/warder/client'],
    ['linux', { HOME: '/home/u', XDG_STATE_HOME: 'relative' }, '/home/u/.local/state/warder/client'],
    [
      'darwin',
      { HOME: '/Users/u', XDG_STATE_HOME: '/s' },
      '/Users/u/Library/Application Support/warder/client',
    ],
    ['win32', { LOCALAPPDATA: '/local' }, '/local/warder/client'],
  ] as const)('the directory on %s with %j is %s', (platform, env, directory) => {
    expect(clientDirectory(env, platform)).toBe(directory)
  })
})
