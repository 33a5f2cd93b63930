import { setTimeout as sleep } from 'node:timers/promises'
import type { McpMessage } from '@warder/protocol'
import type { BridgeLog } from '../log.ts'
import { readAnswer } from './read-answer.ts'
import { readRetryDelay } from './retry-delay.ts'
import { innermostWords, isFinalTrouble } from './server-trouble.ts'

const firstPauseMs = 1000
const longestPauseMs = 30_000

/** The server's own stream of one session. */
export interface OwnStream {
  /** Opens it behind an event; undefined where the server has none. Throws `ServerTrouble`. */
  open(lastEventId: string | undefined): Promise<Response | undefined>
  onMessage(message: McpMessage): void | Promise<void>
  /** Whether the session is still the one that is used. */
  isCurrent(): boolean
  /** Ends it. */
  readonly signal: AbortSignal
  readonly log: BridgeLog
}

/** Where the stream broke, and when the server wants to be asked again. */
interface Place {
  id?: string
  retry?: number
}

/** Listens as long as the session lives (OT-04). Never throws. */
export async function listenToSession(stream: OwnStream): Promise<void> {
  const { signal } = stream
  const place: Place = {}
  let pause = firstPauseMs
  while (stream.isCurrent() && !signal.aborted) {
    const begun = performance.now()
    if (await listenOnce(stream, place)) return
    // One that ends at once would end at once again.
    if (performance.now() - begun > longestPauseMs) pause = firstPauseMs
    const delayMs = readRetryDelay(place.retry, pause)
    await sleep(delayMs, undefined, { signal, ref: false }).catch(() => undefined)
    pause = Math.min(pause * 1.5, longestPauseMs)
  }
}

/** True when there is nothing to listen to, now or later: some servers have no such stream. */
async function listenOnce({ open, onMessage, signal, log }: OwnStream, place: Place): Promise<boolean> {
  try {
    const response = await open(place.id)
    if (response === undefined) return true
    await readAnswer(response, {
      onMessage,
      onGarbage: (why) => log({ level: 'warn', event: 'connect.garbage', why }),
      onPlace: (news) => void Object.assign(place, news),
    })
    return false
  } catch (error) {
    if (signal.aborted) return true
    const isFinal = isFinalTrouble(error)
    const event = isFinal ? 'connect.no-stream' : 'connect.stream-broke'
    log({ level: 'info', event, why: innermostWords(error) })
    return isFinal
  }
}
