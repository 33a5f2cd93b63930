import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readChunked, removeChunked, writeChunked } from './chunked-value.ts'
import { type CredentialStore, checkName } from './credential-store.ts'
import { createKeychainCalls, type KeychainCallOptions, type KeychainCalls } from './keychain-calls.ts'
import { lockByFiles } from './lock-by-files.ts'
import { StoreUnavailable } from './store-unavailable.ts'

export interface KeychainOptions extends KeychainCallOptions {
  /** Where the locks are; see `clientDirectory`. The same for all processes of the user, or they do not exclude each other. */
  readonly directory: string
}

/** What is in the keychain, since not every keychain can tell. */
const index = 'index'

/**
 * Credentials in the keychain of the system: macOS Keychain, Windows Credential Manager, Secret Service on Linux (and never the
 * keyring of the kernel, which a restart empties). Opens nothing yet; `checkKeychain` does. A call takes 15 seconds at most,
 * and one that a keychain lets hang does not keep this process from ending.
 */
export function openKeychain(options: KeychainOptions): CredentialStore {
  return makeStore(createKeychainCalls(options), options.directory)
}

/** The same, after it was tried; see `checkKeychain`. */
export async function openCheckedKeychain(options: KeychainOptions): Promise<CredentialStore> {
  const calls = createKeychainCalls(options)
  await check(calls)
  return makeStore(calls, options.directory)
}

/**
 * Tries whether the keychain can be used: reads what it must have where anything was ever written, else writes something,
 * reads it and removes it. Throws `StoreUnavailable`.
 */
export async function checkKeychain(options: KeychainCallOptions): Promise<void> {
  await check(createKeychainCalls(options))
}

function makeStore(calls: KeychainCalls, directory: string): CredentialStore {
  const indexLocked = lockByFiles(join(directory, 'locks', 'own'))
  return {
    kind: 'keychain',
    read: async (name) => readChunked(calls, accountOf(name)),
    async write(name, value) {
      const account = accountOf(name)
      // In this order: a value that is in no list would never be found again.
      if (!(await readIndex(calls)).includes(name)) {
        await indexLocked(index, async () => writeIndex(calls, [...(await readIndex(calls)), name]))
      }
      await writeChunked(calls, account, value)
    },
    async remove(name) {
      await removeChunked(calls, accountOf(name))
      await indexLocked(index, async () => {
        const names = await readIndex(calls)
        if (names.includes(name))
          await writeIndex(
            calls,
            names.filter((other) => other !== name),
          )
      })
    },
    list: async () => readIndex(calls),
    locked: lockByFiles(join(directory, 'locks')),
  }
}

async function check(calls: KeychainCalls): Promise<void> {
  if ((await readChunked(calls, index)) !== undefined) return
  const [account, value] = [`probe-${randomBytes(8).toString('hex')}`, randomBytes(8).toString('hex')]
  await calls.write(account, value)
  const found = await calls.read(account)
  await calls.remove(account)
  if (found !== value) {
    throw new StoreUnavailable('denied', 'the keychain of this system does not give back what it was given')
  }
}

/** Our own entries have names that no credential has. */
const accountOf = (name: string): string => `credential.${checkName(name)}`

async function readIndex(calls: KeychainCalls): Promise<readonly string[]> {
  const text = (await readChunked(calls, index)) ?? ''
  return text.split('\n').filter((name) => name !== '')
}

async function writeIndex(calls: KeychainCalls, names: readonly string[]): Promise<void> {
  await writeChunked(calls, index, [...new Set(names)].sort().join('\n'))
}
