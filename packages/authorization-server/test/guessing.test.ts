import { createHash, randomBytes } from 'node:crypto'
import type { Store } from '@warder/store'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Browser, Shown } from './browser.ts'
import {
  authorizeUrl,
  callback,
  errorOf,
  exchange,
  getCode,
  getTokens,
  ownerEmail,
  password,
  readerEmail,
  refresh,
  registerClient,
  signIn,
  startWarder,
  type Warder,
} from './start.ts'

const isConsent = (page: Shown): boolean => page.html.includes('name="decision"')
const sha256 = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** What a store was asked, as `group.operation` with its arguments. */
interface Asked {
  readonly name: string
  readonly parameters: readonly unknown[]
}

/** The same store, which writes down what it is asked. */
function listenTo(store: Store, asked: Asked[]): Store {
  const group = (name: string, operations: object): object =>
    new Proxy(operations, {
      get(target, operation: string) {
        const call: unknown = Reflect.get(target, operation)
        if (typeof call !== 'function') return call
        return (...parameters: unknown[]) => {
          asked.push({ name: `${name}.${operation}`, parameters })
          return Reflect.apply(call, target, parameters) as unknown
        }
      },
    })
  return new Proxy(store, {
    get(target, name: string) {
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'object' && value !== null ? group(name, value) : value
    },
  })
}

describe('C37 what a guess makes the server do does not tell how good it is', () => {
  const asked: Asked[] = []
  let w: Warder
  let client: string
  beforeAll(async () => {
    w = await startWarder({ between: (store) => listenTo(store, asked) })
    client = await registerClient(w)
  })

  /** The operations of one request, and a check that no part of a secret went to the store as it was sent. */
  async function operationsOf(secret: string, send: () => Promise<unknown>): Promise<readonly string[]> {
    asked.length = 0
    await send()
    const everything = JSON.stringify(asked)
    expect(everything).not.toContain(secret.slice(0, 12))
    expect(everything).not.toContain(secret.slice(-12))
    if (everything.includes('grants.')) expect(everything).toContain(sha256(secret))
    return asked.map(({ name }) => name)
  }

  test('a code: unknown, or with all but the end of a live one', async () => {
    const code = await getCode(w, client)
    const send = async (guess: string) => operationsOf(guess, () => exchange(w, client, guess))
    const unknown = await send(`wac_${randomBytes(32).toString('base64url')}`)
    expect(unknown).toEqual(['clients.load', 'grants.loadCode'])
    for (const end of [1, 10, 30]) expect(await send(code.slice(0, -end) + '-'.repeat(end))).toEqual(unknown)
    expect(await send(code)).toEqual([...unknown, 'grants.redeemCode'])
  })

  test('a refresh token: unknown, or with all but the end of a live one', async () => {
    const { refresh_token: token } = await getTokens(w, client)
    const send = async (guess: string) => operationsOf(guess, () => refresh(w, client, guess))
    const unknown = await send(`wrt_${randomBytes(32).toString('base64url')}`)
    expect(unknown).toEqual(['clients.load', 'grants.loadRefreshToken'])
    for (const end of [1, 10, 30]) expect(await send(token.slice(0, -end) + '-'.repeat(end))).toEqual(unknown)
    expect(await send(token)).toEqual([...unknown, 'grants.rotateRefreshToken'])
  })

  test('a client: unknown, or disabled; no client has a secret that could be wrong', async () => {
    const gone = await registerClient(w)
    await w.store.clients.revoke(gone, w.clock.now)
    const send = async (id: string): Promise<readonly [readonly string[], string]> => {
      asked.length = 0
      const answer = await exchange(w, id, 'x')
      return [asked.map(({ name }) => name), await answer.text()]
    }
    expect(await send(gone)).toEqual(await send('wcl_unknown'))
    const attempt = (fields: Record<string, string>): Promise<Response> => exchange(w, client, 'x', fields)
    asked.length = 0
    expect(await errorOf(await attempt({ client_secret: 'a' }))).toBe('401 invalid_client')
    expect(await errorOf(await exchange(w, 'wcl_unknown', 'x', { client_secret: 'a' }))).toBe(
      '401 invalid_client',
    )
    expect(asked).toEqual([])
  })

  test('an e-mail address: unknown, disabled, or known with a wrong password', async () => {
    await w.store.users.add({
      id: 'wus_gone',
      email: 'gone@example.test',
      passwordHash: 'x',
      now: w.clock.now,
    })
    await w.store.users.setDisabled('wus_gone', true, w.clock.now)
    const seen = []
    for (const email of ['nobody@example.test', 'gone@example.test', readerEmail]) {
      const browser = w.browser(`192.0.2.${seen.length + 1}`)
      const login = await browser.open(authorizeUrl(w, client))
      asked.length = 0
      expect((await browser.submit(login, { email, password: 'wrong' })).status).toBe(403)
      seen.push(asked.map(({ name }) => name))
    }
    expect(seen[1]).toEqual(seen[0])
    expect(seen[2]).toEqual(seen[0])
  })

  test('a browser secret: unknown, or with all but the end of the right one', async () => {
    const browser = w.browser()
    const page = await browser.open(authorizeUrl(w, client))
    const [name = '', secret = ''] = browser.cookies(page.url).split('=')
    const path = new URL(page.url).pathname
    const send = async (guess: string): Promise<readonly [number, readonly string[]]> => {
      asked.length = 0
      const { status } = await w.get(path, { cookie: `${name}=${guess}` })
      expect(JSON.stringify(asked)).not.toContain(guess)
      return [status, asked.map((one) => one.name)]
    }
    const unknown = await send('A'.repeat(43))
    expect(unknown).toEqual([403, ['transactions.load']])
    expect(await send(`${secret.slice(0, -2)}AA`)).toEqual(unknown)
    expect((await send(secret))[0]).toBe(200)
  })
})

describe('U01 guessing of each secret there is', () => {
  test('passwords: the account and the address are blocked for a while; other users elsewhere go on', async () => {
    const w = await startWarder()
    const client = await registerClient(w)
    const attempt = async (browser: Browser, email: string, typed: string): Promise<Shown> =>
      await browser.submit(await browser.open(authorizeUrl(w, client)), { email, password: typed })
    const attacker = w.browser('198.51.100.1')
    const waits: number[] = []
    for (let at = 0; at < 30; at += 1) {
      const answer = await attempt(attacker, ownerEmail, `guess number ${at}`)
      if (answer.status !== 429) continue
      const wait = Number(answer.headers.get('retry-after'))
      waits.push(wait)
      w.clock.now += wait * 1_000
    }
    // 5 were free, each further one cost twice as long as the one before, 15 minutes at most.
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
    expect(isConsent(await attempt(w.browser('203.0.113.7'), readerEmail, password))).toBe(true)
  })

  test('codes: five wrong verifiers, and it is dead; without the right code there is nothing to count', async () => {
    const w = await startWarder()
    const client = await registerClient(w)
    const code = await getCode(w, client)
    for (let at = 0; at < 200; at += 1) {
      const guess = `wac_${randomBytes(32).toString('base64url')}`
      expect(await errorOf(await exchange(w, client, guess))).toBe('400 invalid_grant')
    }
    expect((await exchange(w, client, code)).status).toBe(200)
  })

  test('all others are 256 bits of randomness, so that no number of requests finds one', async () => {
    const w = await startWarder({ withUsers: false })
    const client = await registerClient(w)
    const link = await w.server.createOwnerLink()
    const again = await w.server.createOwnerLink()
    expect(secretBytes(link.split('/').at(-1))).toBe(32)
    expect(link).not.toBe(again)
    const other = await startWarder()
    const id = await registerClient(other)
    const { refresh_token: token } = await getTokens(other, id)
    expect(secretBytes(token.replace(/^wrt_/, ''))).toBe(32)
    expect(secretBytes((await getCode(other, id)).replace(/^wac_/, ''))).toBe(32)
    const browser = w.browser()
    const page = await browser.open(authorizeUrl(w, client))
    expect(secretBytes(browser.cookies(page.url).split('=')[1])).toBe(32)
    // 128 bits name a sign-in, which is worth nothing without the cookie.
    expect(secretBytes(new URL(page.url).pathname.split('/').at(-1))).toBe(16)
  })
})

describe('U05 the limit of an account is not dodged', () => {
  const blocked = async (): Promise<Warder> => {
    const w = await startWarder()
    const client = await registerClient(w)
    for (let at = 0; at < 6; at += 1) {
      const browser = w.browser(`198.51.100.${at}`)
      const login = await browser.open(authorizeUrl(w, client))
      await browser.submit(login, { email: ownerEmail, password: 'wrong' })
    }
    return w
  }

  test('by a new client, a new browser, a new address, the account page, or another spelling', async () => {
    const w = await blocked()
    const client = await registerClient(w, [callback, 'https://new.example/cb'])
    const spellings = [ownerEmail, 'OWNER@EXAMPLE.TEST', ` ${ownerEmail} `, `\t${ownerEmail}\n`]
    for (const [at, email] of spellings.entries()) {
      const browser = w.browser(`203.0.113.${at}`)
      const login = await browser.open(authorizeUrl(w, client))
      expect([email, (await browser.submit(login, { email, password })).status]).toEqual([email, 429])
      const account = await w.browser(`203.0.114.${at}`).open(`${w.issuer}/account`)
      expect(account.status).toBe(200)
    }
    const browser = w.browser('203.0.113.99')
    const account = await browser.open(`${w.issuer}/account`)
    expect((await browser.submit(account, { email: ownerEmail, password })).status).toBe(429)
    w.clock.now += 10_000
    expect(isConsent(await signIn(browser, await browser.open(authorizeUrl(w, client))))).toBe(true)
  })

  test('a blocked account is not told from one that does not exist', async () => {
    const w = await blocked()
    const client = await registerClient(w)
    const seen = new Set<string>()
    for (const email of [ownerEmail, 'nobody@example.test']) {
      for (let at = 0; at < 6; at += 1) {
        const browser = w.browser(`192.0.2.${at}`)
        await browser.submit(await browser.open(authorizeUrl(w, client)), { email, password: 'wrong' })
      }
      const browser = w.browser('192.0.2.200')
      const answer = await browser.submit(await browser.open(authorizeUrl(w, client)), { email, password })
      seen.add(
        `${answer.status} ${answer.headers.get('retry-after')} ${answer.html.replaceAll(/(?:value|action)="[^"]*"/g, '')}`,
      )
    }
    expect([...seen].map((one) => one.slice(0, 3))).toEqual(['429'])
  })
})

describe('U02 an address is one peer, whatever it says of itself', () => {
  test('headers about forwarding are not read', async () => {
    const w = await startWarder()
    const client = await registerClient(w)
    const statuses: number[] = []
    for (let at = 0; at < 8; at += 1) {
      const browser = w.browser('198.51.100.1')
      const login = await browser.open(authorizeUrl(w, client))
      const headers = {
        'x-forwarded-for': `203.0.113.${at}`,
        'x-real-ip': `203.0.113.${at}`,
        forwarded: `for=203.0.113.${at}`,
        'true-client-ip': `203.0.113.${at}`,
      }
      const fields = { email: `user${at}@example.test`, password }
      statuses.push((await browser.submit(login, fields, headers)).status)
    }
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429, 429, 429])
  })

  test('an IPv6 network of 2^64 addresses is one, in every spelling; its neighbour is another', async () => {
    const w = await startWarder()
    const client = await registerClient(w)
    const attempt = async (address: string, at: number): Promise<number> => {
      const browser = w.browser(address)
      const login = await browser.open(authorizeUrl(w, client))
      return (await browser.submit(login, { email: `user${at}@example.test`, password })).status
    }
    const spellings = [
      '2001:db8:0:7::1',
      '2001:db8:0:7:ffff::2',
      '2001:0DB8:0000:0007::3',
      '2001:db8:0:7:1:2:3:4',
      '2001:db8::7:0:0:0:5',
      '2001:db8:0:7::%eth0',
    ]
    const statuses = []
    for (const [at, address] of spellings.entries()) statuses.push(await attempt(address, at))
    expect(statuses).toEqual([403, 403, 403, 403, 403, 429])
    expect(await attempt('2001:db8:0:8::1', 7)).toBe(403)
    for (let at = 0; at < 5; at += 1)
      await attempt(at % 2 === 0 ? '::ffff:198.51.100.3' : '198.51.100.3', at + 10)
    expect(await attempt('::FFFF:198.51.100.3', 20)).toBe(429)
  })
})

/** How many random bytes stand in a base64url text. */
function secretBytes(text: string | undefined): number {
  return Buffer.from(text ?? '', 'base64url').length
}
