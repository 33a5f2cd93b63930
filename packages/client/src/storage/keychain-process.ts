import { setTimeout as delay } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'

/**
 * The process that talks to the keychain of the system. It exists because such a call can hang for as long as the keychain
 * likes, and a process with a hanging call cannot end by itself: this one can be killed. Its main thread never calls the
 * keychain, so that it always notices when its parent is gone.
 */

/** What it is asked. `account` is no secret. */
export interface KeychainCall {
  readonly id: number
  readonly operation: 'read' | 'write' | 'remove'
  readonly account: string
  readonly value?: string | undefined
}

/** What it answers: the value where one was read, or the words of what went wrong. */
export interface KeychainAnswer {
  readonly id: number
  readonly value?: string | undefined
  readonly trouble?: string | undefined
}

/** Under which our entries stand; one for all hosts and versions, or they would not share a refresh. */
const service = 'warder'

type Entries = typeof import('@napi-rs/keyring')

function answerOf({ Entry }: Entries, call: KeychainCall): KeychainAnswer {
  const { id, operation, account, value = '' } = call
  try {
    // By itself it would fall back to the keyring of the kernel, which a restart empties.
    const entry = new Entry(service, account, { linux: { store: 'secret-service' } })
    if (operation === 'read') return { id, value: entry.getPassword() ?? undefined }
    if (operation === 'write') entry.setPassword(value)
    else entry.deleteCredential()
    return { id }
  } catch (error) {
    return { id, trouble: error instanceof Error ? error.message : 'no words' }
  }
}

/** What the bus says when the programs of the user have all connections that there are; nothing has been done then. */
const busIsFull = /maximum number of active connections/i
const mostTries = 40
const pauseMs = 50

async function answerOnceThereIsRoom(call: KeychainCall): Promise<KeychainAnswer> {
  let loaded: Entries
  try {
    loaded = await import('@napi-rs/keyring')
  } catch (error) {
    return { id: call.id, trouble: `no native binding: ${(error as Error).message}` }
  }
  for (let tries = 1; ; tries += 1) {
    const answer = answerOf(loaded, call)
    // An entry is a connection to the bus until it is collected, and the bus has 256 for all programs of the user.
    globalThis.gc?.()
    if (tries === mostTries || !busIsFull.test(answer.trouble ?? '')) return answer
    // Others let go of theirs, and what was collected is closed a little later.
    await delay(pauseMs)
  }
}

if (isMainThread) {
  const worker = new Worker(new URL(import.meta.url))
  worker.on('message', (answer: KeychainAnswer) => process.send?.(answer))
  process.on('message', (call: KeychainCall) => worker.postMessage(call))
  // Ctrl-C at a terminal reaches this process too; its parent may still have to write what it has just got.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // Not exit: it would wait for the call that hangs.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
} else {
  let turn: Promise<void> = Promise.resolve()
  parentPort?.on('message', (call: KeychainCall) => {
    // One after the other: of two writes the second counts.
    turn = turn.then(async () => parentPort?.postMessage(await answerOnceThereIsRoom(call)))
  })
}
