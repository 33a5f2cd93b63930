import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { checkKeychain, chooseStore, clientDirectory, openKeychain, StoreUnavailable } from '@warder/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run, type Session, startSession, startSilentBus } from './secret-service.ts'

const canary = 'canary-5d1f-secret'

async function troubleOf(answer: Promise<unknown>): Promise<StoreUnavailable> {
  const error: unknown = await answer.then(
    (value) => `answered ${String(value)}`,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(StoreUnavailable)
  return error as StoreUnavailable
}

/** What the entries of the keychain are called, as another program of the session sees them. */
async function accountsIn(session: Session): Promise<string[]> {
  const { output } = await run(session, 'secret-tool', ['search', '--all', 'service', 'warder'])
  return [...output.matchAll(/attribute\.username = (.*)/g)].map(([, account = '']) => account).sort()
}

// On other systems the keychain has no password that a test could know.
describe.runIf(process.platform === 'linux')('a real Secret Service, unlocked', () => {
  let session: Session
  beforeAll(async () => {
    session = await startSession()
    await session.startService('the password')
  })
  afterAll(async () => {
    await session[Symbol.asyncDispose]()
  })
  const open = (): ReturnType<typeof openKeychain> =>
    openKeychain({ directory: clientDirectory(session.env, 'linux'), env: session.env })

  test('Q15 it is the store by default, and what was written is there for the next process', async () => {
    const store = await chooseStore({ env: session.env })
    expect(store.kind).toBe('keychain')
    expect(await store.read('tokens-1')).toBeUndefined()
    await store.write('tokens-1', canary)
    expect(await open().read('tokens-1')).toBe(canary)
    expect(await open().list()).toEqual(['tokens-1'])
    await open().remove('tokens-1')
    expect([await store.read('tokens-1'), await store.list()]).toEqual([undefined, []])
    await store.remove('tokens-1')
  })

  test.each([
    ['short', 'x'],
    ['empty', ''],
    ['as long as one entry', 'x'.repeat(1277)],
    ['one more', 'x'.repeat(1278)],
    ['large', 'abc'.repeat(3000)],
    ['pairs across the border', `${'x'.repeat(1279)}😀${'y'.repeat(1278)}😀`],
    ['line ends and quotes', `"\n\r\0'#v1:p1:${'é'.repeat(900)}`],
  ])('a value comes back as it was: %s', async (_, value) => {
    const store = open()
    await store.write('value', value)
    expect(await open().read('value')).toBe(value)
    await store.write('value', `${value}!`)
    expect(await open().read('value')).toBe(`${value}!`)
    await store.remove('value')
    expect(await accountsIn(session)).not.toContainEqual(expect.stringContaining('credential.value'))
  })

  test('a value of 2,560 bytes and more is in entries of 1,280 units at most; old parts go', async () => {
    const store = open()
    for (const letter of ['a', 'b']) await store.write('big', letter.repeat(4000))
    const parts = (await accountsIn(session)).filter((account) => account.startsWith('credential.big'))
    expect(parts).toHaveLength(5)
    for (const account of parts) {
      const { output } = await run(session, 'secret-tool', [
        'lookup',
        'service',
        'warder',
        'username',
        account,
      ])
      expect(output.trim().length).toBeLessThanOrEqual(1280)
    }
    await store.remove('big')
  })

  test('Q15 a part that is gone makes the value damaged, not shorter and not absent; signing out helps', async () => {
    const store = open()
    await store.write('torn', 'z'.repeat(4000))
    const part = (await accountsIn(session)).find((account) => /credential\.torn#.*\.1$/.test(account)) ?? ''
    await run(session, 'secret-tool', ['clear', 'service', 'warder', 'username', part])
    const trouble = await troubleOf(store.read('torn'))
    expect([trouble.reason, trouble.message]).toEqual(['denied', expect.stringContaining('warder logout')])
    await store.remove('torn')
    expect(await store.read('torn')).toBeUndefined()
  })

  test('Q15 kill -9 of writers at any moment leaves the old value or a new one, whole', async () => {
    const store = open()
    await store.write('killed', `0:${'0'.repeat(5000)}`)
    const program = `
      import { openKeychain } from '@warder/client'
      const store = openKeychain({ directory: process.argv[1] })
      for (let round = 1; ; round = round % 9 + 1) {
        await store.write('killed', round + ':' + String(round).repeat(5000))
        process.stdout.write('.')
      }`
    for (let round = 0; round < 6; round += 1) {
      const child = startProgram(session, program)
      await once(child.stdout!, 'data')
      await new Promise((done) => setTimeout(done, 40 + 23 * round))
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
      const [number = '', digits = ''] = ((await store.read('killed')) ?? '').split(':')
      expect(digits).toBe(number.repeat(5000))
    }
    await store.remove('killed')
  })

  test('Q15 two processes that write different names lose none of them', async () => {
    const program = (own: string): string => `
      import { openKeychain } from '@warder/client'
      const store = openKeychain({ directory: process.argv[1] })
      for (let index = 0; index < 8; index += 1) await store.write('${own}-' + index, '${own}')`
    await Promise.all(['a', 'b', 'c'].map(async (own) => once(startProgram(session, program(own)), 'exit')))
    const names = (await open().list()).filter((name) => /^[abc]-/.test(name))
    expect(names).toHaveLength(24)
  })

  test('Q16 the secret is in no argument, no environment and no file of names, only in the keyring', async () => {
    const child = startProgram(
      session,
      `
      import { openKeychain } from '@warder/client'
      const store = openKeychain({ directory: process.argv[1] })
      const secret = ['canary', '5d1f', 'secret'].join('-')
      await store.write('canary', secret)
      process.stdout.write('written')
      setInterval(() => {}, 1000)`,
    )
    await once(child.stdout!, 'data')
    const seen = readdirSync('/proc')
      .filter((pid) => /^[0-9]+$/.test(pid))
      .flatMap((pid) => ['cmdline', 'environ'].map((file) => readQuietly(`/proc/${pid}/${file}`)))
    expect(seen.some((text) => text.includes(session.directory))).toBe(true)
    expect(seen.filter((text) => text.includes(canary))).toEqual([])
    const files = readdirSync(session.directory, { recursive: true, withFileTypes: true })
    for (const file of files.filter((entry) => entry.isFile())) {
      expect(file.name).not.toContain(canary)
      expect(readQuietly(`${file.parentPath}/${file.name}`)).not.toContain(canary)
    }
    expect(await accountsIn(session)).not.toContainEqual(expect.stringContaining(canary))
    expect(await open().read('canary')).toBe(canary)
    child.kill('SIGKILL')
  })

  test('hundreds of calls of one process leave the bus to others, which has 256 connections for a user', async () => {
    const store = open()
    for (let call = 0; call < 300; call += 1) await store.read('nothing')
    await Promise.all(Array.from({ length: 5 }, async () => open().read('nothing')))
    const { output } = await run(session, 'dbus-send', [
      ...['--session', '--dest=org.freedesktop.DBus', '--print-reply', '/org/freedesktop/DBus'],
      'org.freedesktop.DBus.ListNames',
    ])
    const connections = output.match(/":1\.[0-9]+"/g) ?? []
    expect(connections.length).toBeGreaterThan(1)
    expect(connections.length).toBeLessThan(40)
  })

  test('Ctrl-C at a terminal reaches the process for the keychain too, and does not cut off a write', async () => {
    const store = open()
    await store.read('nothing')
    const helpers = processesWith(session.directory).filter((pid) =>
      readQuietly(`/proc/${pid}/cmdline`).includes('keychain-process'),
    )
    expect(helpers.length).toBeGreaterThan(0)
    const writing = store.write('interrupted', 'i'.repeat(4000))
    for (const pid of helpers) process.kill(Number(pid), 'SIGINT')
    await writing
    expect(await store.read('interrupted')).toBe('i'.repeat(4000))
    await store.remove('interrupted')
  })

  test('a process that has used the keychain ends by itself', async () => {
    const child = startProgram(
      session,
      `
      import { openKeychain } from '@warder/client'
      await openKeychain({ directory: process.argv[1] }).read('nothing')`,
    )
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})

describe.runIf(process.platform === 'linux')('a Secret Service that cannot be used', () => {
  test('a bus on which other programs have taken all connections: who waits a little gets one that comes free, and else it is said', async () => {
    await using session = await startSession({ connections: 12 })
    await session.startService('the password')
    const others = Array.from({ length: 12 }, () =>
      spawn('dbus-monitor', ['--session'], { env: session.env, stdio: 'ignore' }),
    )
    const free = async (): Promise<void> => {
      for (const other of others) if (other.exitCode === null) other.kill('SIGKILL')
    }
    try {
      const ask = ['--session', '--dest=org.freedesktop.DBus', '--print-reply', '/org/freedesktop/DBus']
      const isFull = async (): Promise<boolean> =>
        (await run(session, 'dbus-send', [...ask, 'org.freedesktop.DBus.ListNames'])).code !== 0
      await expect.poll(isFull, { timeout: 20_000 }).toBe(true)
      const store = openKeychain({ directory: clientDirectory(session.env, 'linux'), env: session.env })
      const trouble = await troubleOf(store.read('a'))
      expect([trouble.reason, trouble.message]).toEqual([
        'timeout',
        expect.stringContaining('has no connection left for the keychain'),
      ])
      const reading = store.read('a')
      await delay(500)
      await free()
      expect(await reading).toBeUndefined()
    } finally {
      await free()
    }
  })

  test('CL-29 a locked keyring is not an absent value: reading and writing say so; unlocked, the value is there', async () => {
    await using session = await startSession()
    const { stop } = await session.startService('the password')
    const store = openKeychain({ directory: clientDirectory(session.env, 'linux'), env: session.env })
    await store.write('there', canary)
    await stop()
    const locked = await session.startService()
    for (const answer of [
      store.read('there'),
      store.write('there', 'x'),
      store.write('new', 'x'),
      store.list(),
    ]) {
      expect((await troubleOf(answer)).reason).toBe('locked')
    }
    const trouble = await troubleOf(chooseStore({ env: session.env }))
    expect([trouble.reason, trouble.message]).toEqual(['locked', expect.stringMatching(/--unlock/)])
    await locked.stop()
    await session.startService('the password')
    expect(await store.read('there')).toBe(canary)
  })

  test('a service without a keyring is missing, and it is said what to do', async () => {
    await using session = await startSession()
    await session.startService()
    const trouble = await troubleOf(chooseStore({ env: session.env }))
    expect([trouble.reason, trouble.message]).toEqual([
      'missing',
      expect.stringMatching(/no keyring[\s\S]*gnome-keyring-daemon --unlock[\s\S]*WARDER_STORE_KEY_FILE/),
    ])
  })

  test('a bus without a service, and no bus at all: no silent fallback', async () => {
    await using session = await startSession()
    const noBus = { ...session.env, DBUS_SESSION_BUS_ADDRESS: `unix:path=${session.directory}/none` }
    for (const env of [session.env, noBus]) {
      const trouble = await troubleOf(chooseStore({ env }))
      expect([trouble.reason, trouble.message]).toEqual([
        'missing',
        expect.stringMatching(/no keychain[\s\S]*Secret Service[\s\S]*WARDER_STORE=encrypted-file/),
      ])
    }
    expect(readdirSync(`${session.directory}/state`)).toEqual([])
  })

  test('a bus that hangs is a timeout, every time, and the process can end', async () => {
    await using session = await startSession()
    await using bus = await startSilentBus()
    const env = { ...session.env, DBUS_SESSION_BUS_ADDRESS: bus.address }
    for (const answer of [checkKeychain({ env, timeoutMs: 400 }), chooseStore({ env, timeoutMs: 400 })]) {
      expect((await troubleOf(answer)).reason).toBe('timeout')
    }
    const program = `
      import { checkKeychain } from '@warder/client'
      await checkKeychain({ timeoutMs: 400 }).catch((error) => process.stdout.write(error.reason))`
    const child = startProgram({ ...session, env }, program)
    const said = once(child.stdout!, 'data')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(String(await said)).toBe('timeout')
    expect(processesWith(bus.address)).toEqual([])
  })

  test('kill -9 of a process whose keychain hangs leaves no process behind', async () => {
    await using session = await startSession()
    await using bus = await startSilentBus()
    const env = { ...session.env, DBUS_SESSION_BUS_ADDRESS: bus.address }
    const program = `
      import { checkKeychain } from '@warder/client'
      process.stdout.write('asking')
      await checkKeychain({ timeoutMs: 60_000 })`
    const child = startProgram({ ...session, env }, program)
    await once(child.stdout!, 'data')
    while (processesWith(bus.address).length < 2) await new Promise((done) => setTimeout(done, 20))
    child.kill('SIGKILL')
    while (processesWith(bus.address).length > 0) await new Promise((done) => setTimeout(done, 20))
  })
})

function startProgram(session: Session, program: string): ChildProcess {
  const args = ['--conditions=@warder/source', '--input-type=module', '--eval', program]
  return spawn(process.execPath, [...args, clientDirectory(session.env, 'linux')], {
    cwd: import.meta.dirname,
    env: session.env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

function processesWith(text: string): string[] {
  return readdirSync('/proc').filter(
    (pid) => /^[0-9]+$/.test(pid) && readQuietly(`/proc/${pid}/environ`).includes(text),
  )
}

/** Files of other processes come and go. */
function readQuietly(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    return ''
  }
}
