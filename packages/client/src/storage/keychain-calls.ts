import { type ChildProcess, fork } from 'node:child_process'
import type { KeychainAnswer, KeychainCall } from './keychain-process.ts'
import { keychainTrouble } from './keychain-trouble.ts'
import { StoreUnavailable } from './store-unavailable.ts'

/** Single entries of the keychain of the system. Each call ends in time; see `keychain-process.ts`. */
export interface KeychainCalls {
  read(account: string): Promise<string | undefined>
  write(account: string, value: string): Promise<void>
  remove(account: string): Promise<void>
}

export interface KeychainCallOptions {
  /** Where the keychain is found: the session of the user. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  /** Milliseconds for one call; default 15,000: somebody may have to type a password. */
  readonly timeoutMs?: number | undefined
}

interface Waiting {
  readonly resolve: (answer: KeychainAnswer) => void
  readonly reject: (error: StoreUnavailable) => void
}

/** Opens nothing before the first call; then one process beside this one, which ends with it. */
export function createKeychainCalls({
  env = process.env,
  timeoutMs = 15_000,
}: KeychainCallOptions): KeychainCalls {
  let helper: Helper | undefined
  let last = 0
  const ask = async (call: Omit<KeychainCall, 'id'>): Promise<string | undefined> => {
    helper = helper?.isAlive() ? helper : startHelper(env)
    last += 1
    const answer = await helper.ask({ ...call, id: last }, timeoutMs)
    if (answer.trouble !== undefined) throw keychainTrouble(answer.trouble)
    return answer.value
  }
  return {
    read: (account) => ask({ operation: 'read', account }),
    write: async (account, value) => {
      await ask({ operation: 'write', account, value })
    },
    remove: async (account) => {
      await ask({ operation: 'remove', account })
    },
  }
}

interface Helper {
  isAlive(): boolean
  ask(call: KeychainCall, timeoutMs: number): Promise<KeychainAnswer>
}

/** Secrets go over its channel, never by argument or environment: those can be read from outside (Q16). */
function startHelper(env: Readonly<Record<string, string | undefined>>): Helper {
  const child = fork(new URL(`keychain-process${ownExtension}`, import.meta.url), {
    env: sessionOf(env),
    execArgv: ['--expose-gc'],
    stdio: 'ignore',
  })
  const waiting = new Map<number, Waiting>()
  let isAlive = true
  child.unref()
  child.channel?.unref()
  child.on('message', (answer: KeychainAnswer) => {
    waiting.get(answer.id)?.resolve(answer)
  })
  const end = (error: StoreUnavailable): void => {
    isAlive = false
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  child.on('error', () => end(ended()))
  child.on('exit', () => end(ended()))
  return {
    isAlive: () => isAlive,
    async ask(call, timeoutMs) {
      const timer = setTimeout(() => {
        end(late(timeoutMs))
        child.kill('SIGKILL')
      }, timeoutMs)
      // As long as an answer is awaited, this process has something to do.
      child.channel?.ref()
      try {
        return await new Promise<KeychainAnswer>((resolve, reject) => {
          waiting.set(call.id, { resolve, reject })
          send(child, call)
        })
      } finally {
        clearTimeout(timer)
        waiting.delete(call.id)
        if (waiting.size === 0) child.channel?.unref()
      }
    },
  }
}

const ownExtension = import.meta.url.endsWith('.ts') ? '.ts' : '.js'

/** A child that has ended meanwhile says so by its own event. */
function send(child: ChildProcess, call: KeychainCall): void {
  child.send(call, () => {})
}

const ended = (): StoreUnavailable =>
  new StoreUnavailable(
    'missing',
    'the process that speaks to the keychain of this system has ended by itself',
  )

const late = (timeoutMs: number): StoreUnavailable =>
  new StoreUnavailable(
    'timeout',
    `the keychain of this system did not answer within ${timeoutMs / 1000} seconds; if it asks for a password somewhere, ` +
      'answer it and try again. Nobody has been signed out.',
  )

const sessionVariables = [
  ...['HOME', 'USER', 'LOGNAME', 'PATH', 'LANG', 'LC_ALL', 'TMPDIR'],
  ...['DBUS_SESSION_BUS_ADDRESS', 'XDG_RUNTIME_DIR', 'DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY'],
  ...[
    'SystemRoot',
    'windir',
    'USERPROFILE',
    'USERNAME',
    'USERDOMAIN',
    'APPDATA',
    'LOCALAPPDATA',
    'TEMP',
    'TMP',
  ],
]

/** What leads to the session, and nothing else of what may stand in an environment. */
function sessionOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const pairs = sessionVariables.flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(pairs)
}
