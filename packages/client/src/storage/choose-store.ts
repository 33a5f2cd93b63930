import { realpathSync } from 'node:fs'
import { readPrivateFile } from '@warder/private-files'
import { clientDirectory } from './client-directory.ts'
import { type CredentialStore, type StoreKind, storeKinds } from './credential-store.ts'
import { openEncryptedFile } from './encrypted-file.ts'
import type { KeySource } from './encryption-key.ts'
import { openCheckedKeychain } from './keychain.ts'
import { openMemory } from './memory.ts'
import { dangerouslyOpenPlainFile } from './plain-file.ts'
import { StoreUnavailable } from './store-unavailable.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface StoreChoice {
  /** Default: WARDER_STORE, else the keychain. `plain-file` must be said here; the environment cannot ask for it. */
  readonly wanted?: StoreKind | undefined
  readonly env: Environment
  readonly platform?: NodeJS.Platform | undefined
  /** Default: `clientDirectory`. */
  readonly directory?: string | undefined
  /** Asks a person, for an encrypted store without WARDER_STORE_KEY_FILE. */
  readonly askPassphrase?: (() => Promise<string>) | undefined
  /** Milliseconds for one call of the keychain. */
  readonly timeoutMs?: number | undefined
}

/**
 * Opens the store that was asked for, by default the keychain of the system. One that cannot be used is an error that says what
 * to do on this machine: credentials never go silently to a place that is less safe. Throws `StoreUnavailable`.
 */
export async function chooseStore(choice: StoreChoice): Promise<CredentialStore> {
  return await openers[decideKind(choice)]({
    ...choice,
    directory: choice.directory ?? clientDirectory(choice.env, choice.platform),
  })
}

type Opener = (choice: StoreChoice & { readonly directory: string }) => Promise<CredentialStore>

const openers: Readonly<Record<StoreKind, Opener>> = {
  memory: async () => openMemory(),
  'plain-file': async ({ directory }) => dangerouslyOpenPlainFile({ directory }),
  'encrypted-file': async (choice) =>
    openEncryptedFile({ directory: choice.directory, key: await readKeySource(choice) }),
  keychain: async ({ directory, env, timeoutMs, platform = process.platform }) => {
    try {
      return await openCheckedKeychain({ directory, env, timeoutMs })
    } catch (error) {
      throw error instanceof StoreUnavailable ? withAdvice(error, platform, env) : error
    }
  },
}

function decideKind({ wanted, env }: StoreChoice): StoreKind {
  if (wanted !== undefined) return wanted
  const said = env['WARDER_STORE'] || 'keychain'
  const kind = storeKinds.find((known) => known === said && known !== 'plain-file')
  if (kind !== undefined) return kind
  throw new StoreUnavailable('missing', 'WARDER_STORE is keychain, encrypted-file or memory')
}

async function readKeySource({ env, askPassphrase }: StoreChoice): Promise<KeySource> {
  const file = env['WARDER_STORE_KEY_FILE']
  if (file) return { kind: 'key', secret: readKeyFile(file), origin: `WARDER_STORE_KEY_FILE (${file})` }
  const passphrase = await askPassphrase?.()
  if (passphrase) return { kind: 'passphrase', secret: passphrase }
  throw new StoreUnavailable(
    'missing',
    `an encrypted store needs a key: ${makeKeyFile} and set WARDER_STORE_KEY_FILE=FILE`,
  )
}

const makeKeyFile =
  'make one by (umask 077; openssl rand -base64 32 > FILE), keep it out of backups of the rest,'
const leastKey = 32

function readKeyFile(file: string): string {
  let text: string | undefined
  try {
    // The user named it, and where secrets are mounted they are links.
    text = readPrivateFile(realpathSync(file))?.trim()
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isAbsent ? `there is no ${file}: ${makeKeyFile} or name another` : (error as Error).message
    throw new StoreUnavailable(isAbsent ? 'missing' : 'denied', `WARDER_STORE_KEY_FILE: ${why}`)
  }
  if (text !== undefined && text.length >= leastKey) return text
  throw new StoreUnavailable(
    'denied',
    `WARDER_STORE_KEY_FILE: ${file} has fewer than ${leastKey} characters; ${makeKeyFile} and name that`,
  )
}

/** What helps on this machine, after what is wrong. */
function withAdvice(error: StoreUnavailable, platform: NodeJS.Platform, env: Environment): StoreUnavailable {
  const advice = [keychainAdvice(error, platform, env), otherStores].filter((line) => line !== '')
  return new StoreUnavailable(error.reason, [`${error.message}.`, ...advice].join('\n'))
}

const otherStores =
  'Or keep the credentials elsewhere: WARDER_STORE=encrypted-file with WARDER_STORE_KEY_FILE=FILE (a file of 0600 with the output ' +
  'of openssl rand -base64 32), or WARDER_STORE=memory for this process alone.'

function keychainAdvice({ reason }: StoreUnavailable, platform: NodeJS.Platform, env: Environment): string {
  if (platform === 'darwin') {
    return reason === 'locked'
      ? 'Unlock it: security unlock-keychain ~/Library/Keychains/login.keychain-db (over SSH it is locked by default).'
      : ''
  }
  if (platform === 'win32') return ''
  if (reason === 'locked') {
    return 'Unlock it at the desktop, or in this shell: gnome-keyring-daemon --replace --unlock --components=secrets (reads the password of the keyring from standard input).'
  }
  if (reason !== 'missing') return ''
  const start =
    'gnome-keyring-daemon --unlock --components=secrets (reads a password for the keyring from standard input)'
  return env['DBUS_SESSION_BUS_ADDRESS'] === undefined
    ? `It needs a Secret Service, such as gnome-keyring or KeePassXC, on the D-Bus of this session. Without a desktop: dbus-run-session -- bash, and in that shell ${start}.`
    : `It needs a Secret Service on the D-Bus of this session, such as KeePassXC or gnome-keyring: ${start}.`
}
